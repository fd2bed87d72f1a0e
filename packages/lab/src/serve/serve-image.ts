import { type Attachment, attachImages, type IoMetrics, ioKind } from "@siphon/attach";
import { Cluster } from "@siphon/rados";
import { SiphonError } from "@siphon/wire";
import type { AttachRequest, ServeAnswer, ServeRequest } from "./server-process.ts";

/**
 * The program of a `ServerProcess`: it serves images on request until its parent process is gone. Images of the same
 * cluster and user share a connection, as in a service.
 */
interface Serving {
  connection: Connection;
  attachment: Attachment;
}

interface Connection {
  key: string;
  cluster: Promise<Cluster>;
  users: number;
}

/** By the image's socket. */
const serving = new Map<string, Serving>();
const connections = new Map<string, Connection>();
/** Aborted when the parent process is gone. */
const orphaned = new AbortController();
/** Requests are handled one at a time, even after the end of the parent process. */
let last: Promise<void> = Promise.resolve();
process.on("message", (request: ServeRequest) => {
  last = last.then(() => answer(request));
});
process.once("disconnect", () => {
  orphaned.abort(new Error("whoever started this process is gone"));
  // An image that is being attached is served by then.
  last = last.then(async () => {
    for (const socket of [...serving.keys()]) await answer({ what: "detach", socket });
  });
});

/** A failed request is answered, too: the process can serve the next image. */
async function answer(request: ServeRequest): Promise<void> {
  try {
    if (request.what === "detach") {
      await detach(request.socket);
      tell({ done: "detached" });
    } else if (request.what === "measure") {
      tell({ done: "measured", bytes: await bytesDone(request.socket) });
    } else {
      await attach(request);
      tell({ done: "attached" });
    }
  } catch (error) {
    tell(failureOf(error));
  }
}

/** The message of an expected error; an unexpected error goes to standard error with its stack. */
function failureOf(error: unknown): ServeAnswer {
  if (error instanceof SiphonError) {
    const { message: failed, hint } = error;
    return { failed, ...(hint !== undefined && { hint }) };
  }
  if (!orphaned.signal.aborted) console.error(error);
  return { failed: String(error) };
}

async function attach({ disk, transport, shared, socket }: AttachRequest): Promise<void> {
  const { pool, namespace = "", image } = disk;
  await using undo = new AsyncDisposableStack();
  const connection = connect(disk);
  undo.defer(() => release(connection));
  const cluster = await connection.cluster;
  const abandon = () => cluster.close();
  orphaned.signal.addEventListener("abort", abandon);
  undo.defer(() => orphaned.signal.removeEventListener("abort", abandon));
  const attachment = await attachImages({
    cluster,
    images: [{ pool, namespace, image, snapshot: undefined }],
    sharesLock: shared,
    log: (line) => process.stderr.write(`${line}\n`),
    ...(transport === "vhost" ? { vhost: [socket] } : { nbd: [{ path: socket }] }),
  });
  orphaned.signal.removeEventListener("abort", abandon);
  undo.move();
  serving.set(socket, { connection, attachment });
}

/** Gets the connection of the image's user. Aborts when the parent process is gone. */
function connect({ conf, user }: AttachRequest["disk"]): Connection {
  const key = JSON.stringify([conf, user]);
  const { signal } = orphaned;
  const known = connections.get(key);
  const cluster = known?.cluster ?? Cluster.connect({ conf, name: `client.${user}`, env: {}, signal });
  const connection = known ?? { key, cluster, users: 0 };
  connection.users++;
  connections.set(key, connection);
  return connection;
}

async function release(connection: Connection): Promise<void> {
  if (--connection.users > 0) return;
  connections.delete(connection.key);
  await connection.cluster.then(
    (cluster) => cluster.close(),
    () => {},
  );
}

async function detach(socket: string): Promise<void> {
  const found = serving.get(socket);
  if (found === undefined) return;
  serving.delete(socket);
  try {
    await found.attachment.drain();
  } finally {
    await release(found.connection);
  }
}

async function bytesDone(socket: string): Promise<number> {
  const { disks = [] } = (await serving.get(socket)?.attachment.measure()) ?? {};
  const ofDisk = ({ bytes }: IoMetrics) => bytes[ioKind.read]! + bytes[ioKind.write]!;
  return disks.reduce((sum, { metrics }) => sum + ofDisk(metrics), 0);
}

/** The parent process may end at any time, even between this check and the sending. */
function tell(what: ServeAnswer): void {
  if (process.connected) process.send!(what, () => {});
}
