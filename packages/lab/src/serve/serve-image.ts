import { type Attachment, attachImages } from "@siphon/attach";
import { Cluster } from "@siphon/rados";
import type { ServeRequest } from "./server-process.ts";

/**
 * What the process of a `ServerProcess` does: it serves one image after another, as it is told, until whoever started it is gone.
 * Each image has a connection to its cluster of its own.
 */
interface Serving {
  cluster: Cluster;
  attachment: Attachment;
}

let serving: Serving | undefined;
process.on("message", (request: ServeRequest | "detach") =>
  request === "detach" ? detach() : attach(request),
);
process.once("disconnect", detach);

async function attach({ disk, transport, socket }: ServeRequest): Promise<void> {
  const { pool, namespace = "", image, user, conf } = disk;
  const cluster = await Cluster.connect({ conf, name: `client.${user}`, env: {} });
  const attachment = await attachImages({
    cluster,
    images: [{ pool, namespace, image, snapshot: undefined }],
    log: (line) => process.stderr.write(`${line}\n`),
    ...(transport === "vhost" ? { vhost: [socket] } : { nbd: [{ path: socket }] }),
  });
  serving = { cluster, attachment };
  tell("attached");
}

async function detach(): Promise<void> {
  await serving?.attachment.drain();
  await serving?.cluster[Symbol.asyncDispose]();
  serving = undefined;
  tell("detached");
}

/** Whoever started this process may be gone meanwhile, also between this look and the sending. */
function tell(what: string): void {
  if (process.connected) process.send!(what, () => {});
}
