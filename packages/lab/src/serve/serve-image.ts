import { attachImages } from "@siphon/attach";
import { Cluster } from "@siphon/rados";
import type { ServeRequest } from "./image-server.ts";

/** The process of an `ImageServer`: serves one image until it is told to end, or whoever started it is gone. */
const { disk, transport, socket } = JSON.parse(process.argv[2]!) as ServeRequest;
const { pool, namespace = "", image, user, conf } = disk;
await using cluster = await Cluster.connect({ conf, name: `client.${user}`, env: {} });
const attachment = await attachImages({
  cluster,
  images: [{ pool, namespace, image, snapshot: undefined }],
  log: (line) => process.stderr.write(`${line}\n`),
  ...(transport === "vhost" ? { vhost: [socket] } : { nbd: [{ path: socket }] }),
});
const end = Promise.withResolvers<void>();
process.once("disconnect", () => end.resolve());
process.send!("listening");
await end.promise;
await attachment.drain();
