import { type Attachment, attachImages, type IoMetrics, ioKind } from "@siphon/attach";
import { Cluster } from "@siphon/rados";
import { SiphonError } from "@siphon/wire";
import type { ServeAnswer, ServeRequest } from "./server-process.ts";

/**
 * The program of a `ServerProcess`: it serves one image after another, as it is told, until the process that started it is gone.
 * Each image has its own connection to its cluster.
 */
interface Serving {
  cluster: Cluster;
  attachment: Attachment;
}

let serving: Serving | undefined;
/** Aborted when the process that started this one is gone. */
const orphaned = new AbortController();
/** Requests are handled one after the other, also after the end of the process that sent them. */
let last: Promise<void> = Promise.resolve();
process.on("message", (request: ServeRequest | "detach" | "measure") => {
  last = last.then(() => answer(request));
});
process.once("disconnect", () => {
  orphaned.abort(new Error("whoever started this process is gone"));
  last = last.then(() => answer("detach"));
});

/** A request that fails is answered as well: the process can serve the next image. */
async function answer(request: ServeRequest | "detach" | "measure"): Promise<void> {
  try {
    if (request === "detach") {
      await detach();
      tell({ done: "detached" });
    } else if (request === "measure") {
      tell({ done: "measured", bytes: await bytesDone() });
    } else {
      await attach(request);
      tell({ done: "attached" });
    }
  } catch (error) {
    tell(failureOf(error));
  }
}

/** In a sentence where somebody wrote one; what nobody thought of is on standard error, with its place. */
function failureOf(error: unknown): ServeAnswer {
  if (error instanceof SiphonError) {
    const { message: failed, hint } = error;
    return { failed, ...(hint !== undefined && { hint }) };
  }
  if (!orphaned.signal.aborted) console.error(error);
  return { failed: String(error) };
}

async function attach({ disk, transport, shared, socket }: ServeRequest): Promise<void> {
  const { pool, namespace = "", image, user, conf } = disk;
  const { signal } = orphaned;
  await using undo = new AsyncDisposableStack();
  const cluster = undo.use(await Cluster.connect({ conf, name: `client.${user}`, env: {}, signal }));
  const abandon = () => cluster.close();
  signal.addEventListener("abort", abandon);
  undo.defer(() => signal.removeEventListener("abort", abandon));
  const attachment = await attachImages({
    cluster,
    images: [{ pool, namespace, image, snapshot: undefined }],
    sharesLock: shared,
    log: (line) => process.stderr.write(`${line}\n`),
    ...(transport === "vhost" ? { vhost: [socket] } : { nbd: [{ path: socket }] }),
  });
  signal.removeEventListener("abort", abandon);
  undo.move();
  serving = { cluster, attachment };
}

async function detach(): Promise<void> {
  if (serving === undefined) return;
  const { cluster, attachment } = serving;
  serving = undefined;
  try {
    await attachment.drain();
  } finally {
    cluster.close();
  }
}

async function bytesDone(): Promise<number> {
  const { disks = [] } = (await serving?.attachment.measure()) ?? {};
  const ofDisk = ({ bytes }: IoMetrics) => bytes[ioKind.read]! + bytes[ioKind.write]!;
  return disks.reduce((sum, { metrics }) => sum + ofDisk(metrics), 0);
}

/** The process that started this one may be gone meanwhile, also between this check and the sending. */
function tell(what: ServeAnswer): void {
  if (process.connected) process.send!(what, () => {});
}
