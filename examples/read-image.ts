/**
 * Reads an RBD image and prints its size and a checksum of its content:
 *
 *     node examples/read-image.ts POOL IMAGE [SNAPSHOT]
 *
 * The cluster and the user are found as Ceph's programs find them: /etc/ceph/ceph.conf, CEPH_CONF, CEPH_ARGS.
 */
import { createHash } from "node:crypto";
import { Cluster } from "@siphon/rados";
import { ImagePool, toRead } from "@siphon/rbd";

const [pool, name, snapshot] = process.argv.slice(2);
if (pool === undefined || name === undefined) {
  console.error("usage: node examples/read-image.ts POOL IMAGE [SNAPSHOT]");
  process.exit(2);
}

await using cluster = await Cluster.connect();
const images = await ImagePool.open(cluster, pool);
await using image = await images.open(name, toRead(snapshot));

const hash = createHash("sha256");
const pieceBytes = 4 * 1024 * 1024;
for (let offset = 0; offset < image.size; offset += pieceBytes) {
  hash.update(await image.read(offset, pieceBytes));
}
console.log(`${pool}/${name}: ${image.size} bytes, sha256 ${hash.digest("hex")}`);
