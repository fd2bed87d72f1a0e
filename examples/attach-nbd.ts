/**
 * Serves an RBD image over NBD on a unix socket until SIGINT or SIGTERM:
 *
 *     node examples/attach-nbd.ts POOL/IMAGE SOCKET
 *     qemu-system-x86_64 ... -drive driver=nbd,export=POOL/IMAGE,server.type=unix,server.path=SOCKET,if=virtio
 */
import { once } from "node:events";
import { attachImages, parseImageSpec } from "@siphon/attach";
import { Cluster } from "@siphon/rados";

const [spec, socket] = process.argv.slice(2);
if (spec === undefined || socket === undefined) {
  console.error("usage: node examples/attach-nbd.ts POOL/IMAGE SOCKET");
  process.exit(2);
}

await using cluster = await Cluster.connect();
const attachment = await attachImages({
  cluster,
  images: [parseImageSpec(spec)],
  nbd: [{ path: socket }],
  log: (line) => console.error(line),
});
for (const { image, size } of attachment.points) console.log(`${image}: ${size} bytes at ${socket}`);

await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
// Finishes the requests in flight, flushes, and gives the image's lock back.
await attachment.drain();
