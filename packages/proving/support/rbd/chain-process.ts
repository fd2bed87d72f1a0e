import { Cluster } from "@siphon/rados";
import { ImagePool } from "@siphon/rbd";
import { Chain } from "./worker-chain.ts";

/**
 * Runs a chain of workers in a separate process that a test kills. Prints the numbers that each worker has acknowledged, line by line.
 *
 * Arguments: ceph.conf, pool, image, number of workers; for a worker that ends: how it ends, and a pipe without a writer.
 */
const [conf, pool, name, count, how, pipe] = process.argv.slice(2);
const cluster = await Cluster.connect({ conf: conf!, name: "client.admin", env: {} });
const options = { workers: Number(count), workerTimeout: 8 };
const image = await (await ImagePool.open(cluster, pool!)).open(name!, options);
if (how !== undefined) {
  await image.workers!.run(new URL("./worker-parts.ts", import.meta.url), { task: "end", how, pipe });
}
const chain = Chain.start(image);
setInterval(() => process.stdout.write(`${JSON.stringify(chain.acknowledged)}\n`), 20);
