import { Cluster } from "@siphon/rados";
import { type CachePolicy, ImagePool } from "@siphon/rbd";

/**
 * Writes numbers to the first 8 bytes of an image, one after the other, as fast as they are acknowledged and flushed, and prints each
 * number then; in a process of its own, to be stopped and killed. Ends with a failed write, which it prints as well.
 *
 * Arguments: ceph.conf, pool, image, first number, policy of a cache.
 */
const [conf, pool, name, first, policy] = process.argv.slice(2);
const cluster = await Cluster.connect({ conf: conf!, name: "client.admin", env: {} });
const image = await (await ImagePool.open(cluster, pool!)).open(name!, {
  cache: policy !== undefined && { policy: policy as CachePolicy },
});
const block = Buffer.alloc(8);
for (let number = BigInt(first!); ; number++) {
  block.writeBigUInt64LE(number);
  try {
    await image.write(0, block);
    await image.flush();
    process.stdout.write(`${number}\n`);
  } catch (error) {
    process.stdout.write(`failed ${(error as { code: string }).code}\n`);
    break;
  }
}
// Nothing that comes later is acknowledged either.
const later = await image.write(4096, block).then(
  () => "acknowledged",
  (error) => `failed ${error.code}`,
);
process.stdout.write(`later ${later}\n`);
// Closing flushes, which cannot be done any more.
await image.close().catch(() => {});
cluster.close();
