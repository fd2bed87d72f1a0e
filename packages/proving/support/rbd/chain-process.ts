import { Cluster } from "@siphon/rados";
import { ImagePool } from "@siphon/rbd";
import { Chain } from "./worker-chain.ts";

/**
 * Runs a chain of workers in a process of its own, to be killed; prints what each has acknowledged, line by line.
 *
 * Arguments: ceph.conf, pool, image, number of workers; `throw` for workers that throw.
 */
const [conf, pool, name, count, task] = process.argv.slice(2);
const cluster = await Cluster.connect({ conf: conf!, name: "client.admin", env: {} });
const image = await (await ImagePool.open(cluster, pool!)).open(name!, { workers: Number(count) });
if (task === "throw") await image.workers!.run(new URL("./worker-parts.ts", import.meta.url), { task });
const chain = Chain.start(image);
setInterval(() => process.stdout.write(`${JSON.stringify(chain.acknowledged)}\n`), 20);
