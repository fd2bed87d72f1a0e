import { randomBytes } from "node:crypto";
import type { LocalCluster } from "@siphon/lab";
import { Cluster, type Pool } from "@siphon/rados";
import { encodeNotifyMessage } from "../../../../rbd/src/watch/notify-message.ts";

/** Notifications by a read-only user to the clients that have an image open. */
export interface Notifying extends AsyncDisposable {
  /** Notifications that were sent. */
  readonly sent: number;
}

/** After the version and the length. */
const kindAt = 6;
const id = { gid: 1n, handle: 2n, request: 3n };
const changed = () => encodeNotifyMessage({ type: "headerUpdate" });
const messages = [
  changed,
  () => encodeNotifyMessage({ type: "requestLock", client: id, force: true }),
  () => encodeNotifyMessage({ type: "acquiredLock", client: id }),
  () => encodeNotifyMessage({ type: "asyncComplete", id, result: 0 }),
  () => encodeNotifyMessage({ type: "asyncProgress", id, offset: 1, total: 2 }),
  () => randomBytes(64),
  () => Buffer.from("hello"),
];

/**
 * Notifies the watchers of an image's header without a pause, as a user with `profile rbd-read-only`: of changes or of
 * any kind, valid and invalid.
 */
export async function notifyForEver(
  ceph: LocalCluster,
  imageId: string,
  what: "anything" | "changes" = "anything",
): Promise<Notifying> {
  const { pool: poolName } = ceph.client;
  const osd = `profile rbd-read-only pool=${poolName}`;
  const user = ["client.reader", "mon", "profile rbd-read-only", "osd", osd];
  const [{ key }] = (await ceph.admin.command(["auth", "get-or-create", ...user])) as [{ key: string }];
  const cluster = await Cluster.connect({ conf: ceph.conf, name: "client.reader", settings: { key } });
  const pool = await cluster.pool(poolName);
  const stop = new AbortController();
  const notifying = { sent: 0 };
  const work = Array.from({ length: 4 }, () =>
    notify(pool, `rbd_header.${imageId}`, what === "changes" ? changed : damaged, notifying, stop.signal),
  );
  return {
    get sent() {
      return notifying.sent;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.allSettled(work);
      cluster.close();
    },
  };
}

async function notify(
  pool: Pool,
  object: string,
  message: () => Buffer,
  counts: { sent: number },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    counts.sent++;
    await pool.notify(object, message(), { timeout: 1000, signal }).catch(() => {});
  }
}

/** A message; half of them are truncated or damaged at some place. */
function damaged(): Buffer {
  const message = messages[Math.floor(Math.random() * messages.length)]!();
  const cut =
    Math.random() < 0.25 ? message.subarray(0, Math.floor(Math.random() * message.length)) : message;
  const at = Math.floor(Math.random() * cut.length);
  // Other kinds could be requests that the lock's owner would carry out.
  if (Math.random() < 0.25 && at !== kindAt && at < cut.length) cut[at] = randomBytes(1)[0]!;
  return cut;
}
