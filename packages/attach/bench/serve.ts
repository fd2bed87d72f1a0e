import { once } from "node:events";
import { Cluster } from "@siphon/rados";
import { attachImages, parseImageSpec } from "../src/index.ts";

/**
 * Serves an image in a process of its own, so that its CPU is nobody else's: `serve.ts CONF POOL/IMAGE vhost|nbd SOCKET`. Says when it
 * listens, and ends in order on a message.
 */
const [conf, image, transport, socket] = process.argv.slice(2) as [string, string, "vhost" | "nbd", string];
await using cluster = await Cluster.connect({ conf, name: "client.admin", env: {} });
const { server } = await attachImages({
  cluster,
  images: [parseImageSpec(image)],
  log: (line) => console.error(line),
  ...(transport === "vhost" ? { vhost: [socket] } : { nbd: { path: socket } }),
});
await using _ = server;
process.send!("listening");
await once(process, "message");
process.disconnect();
