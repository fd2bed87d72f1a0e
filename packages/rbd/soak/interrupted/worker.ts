import { Cluster } from "@siphon/rados";
import { ImagePool } from "@siphon/rbd";
import { cases } from "./cases.ts";

/** What is killed: `node worker.ts CASE CONF POOL`; says on standard output when it begins. */
const [name, conf, pool] = process.argv.slice(2) as [string, string, string];
await using cluster = await Cluster.connect({ conf, name: "client.admin" });
const images = await ImagePool.open(cluster, pool);
process.stdout.write("begins\n");
await cases[name]!.run(images);
