import { Cluster } from "@siphon/rados";
import { type CachePolicy, ImagePool } from "@siphon/rbd";

/**
 * Writes increasing numbers to the first 8 bytes of an image, each once the previous one is acknowledged and flushed, and prints each
 * acknowledged number. Runs in a separate process, which tests stop and kill. Prints the error of a failed write and ends.
 *
 * Arguments: ceph.conf, pool, image, first number, cache policy.
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
// Later writes must fail, too.
const later = await image.write(4096, block).then(
  () => "acknowledged",
  (error) => `failed ${error.code}`,
);
process.stdout.write(`later ${later}\n`);
// Closing flushes, which is no longer possible.
await image.close().catch(() => {});
cluster.close();
