import type { Cluster, Pool } from "@siphon/rados";
import { type EntityAddr, errno } from "@siphon/wire";
import { breakLock, getLockInfo, type Locker, type LockInfo, type LockSpec, unlock } from "../cls/lock.ts";
import { ask, changeAll } from "../cls/run.ts";
import { describe } from "../describe.ts";
import { hasCode, RbdError, unless } from "../errors.ts";
import type { ImageState } from "../image-state.ts";
import { headerObject } from "../object-names.ts";
import { imageSettings } from "../settings/settings.ts";

/** RBD_LOCK_NAME: every lock on an image has this name, whoever takes it. */
export const imageLockName = "rbd_lock";
/** Tag of the locks that images take by themselves; others were taken manually (`rbd lock add`). */
export const managedTag = "internal";

/** The lock as the owner of this watch takes it (src/librbd/managed_lock/Utils.cc). */
export function managedLock(watchCookie: bigint): LockSpec {
  return { name: imageLockName, type: "exclusive", cookie: `auto ${watchCookie}`, tag: managedTag };
}

export function readImageLock(pool: Pool, imageId: string): Promise<LockInfo> {
  return ask(pool, headerObject(imageId), getLockInfo(imageLockName)).catch((error) => {
    if (hasCode(error, "ENOENT")) return { type: "none", tag: "", lockers: [] } as LockInfo;
    throw error;
  });
}

/** The owner of an image's managed lock; undefined if nobody has it. */
export async function findOwner(
  pool: Pool,
  image: Pick<ImageState, "id" | "name">,
): Promise<Locker | undefined> {
  const { type, tag, lockers } = await readImageLock(pool, image.id);
  const [locker] = lockers;
  if (locker === undefined) return undefined;
  if (type === "exclusive" && tag === managedTag && watchCookieOf(locker) !== undefined) return locker;
  throw new RbdError("SIPHON_RBD_BUSY", `client.${locker.client} locked image ${image.name} by hand`, {
    ...{ retryable: true, errno: -errno.EROFS },
    remedy: { name: "list-locks", subject: describe(pool, image.name) },
  });
}

/**
 * Whether the owner still watches the image: then the lock must be asked for, and not taken. One that watches under another cookie than the
 * lock names lives as well: it watches again, and is about to rename its lock. Of this client itself only the watch that the lock
 * names counts, since another may be the one of whoever asks.
 */
export async function isAlive(
  { globalId }: Pick<Cluster, "globalId">,
  pool: Pool,
  imageId: string,
  owner: Locker,
): Promise<boolean> {
  const addr = addrKey(owner.addr);
  const cookie = owner.client === globalId ? watchCookieOf(owner) : undefined;
  const watchers = await pool.listWatchers(headerObject(imageId));
  return watchers.some(
    (watcher) => addrKey(watcher.addr) === addr && (cookie === undefined || watcher.cookie === cookie),
  );
}

/** Whether one that was found dead has the lock still, under the same name, and has not come back. */
export async function isStillDead(
  cluster: Pick<Cluster, "globalId">,
  pool: Pool,
  image: Pick<ImageState, "id" | "name">,
  before: Locker,
): Promise<boolean> {
  if (!isSameOwner(await findOwner(pool, image), before)) return false;
  if (await isAlive(cluster, pool, image.id, before)) return false;
  // A client that unwatched after it gave the lock away no longer has it.
  return isSameOwner(await findOwner(pool, image), before);
}

export function isSameOwner(a: Locker | undefined, b: Locker): boolean {
  return a?.client === b.client && a.cookie === b.cookie && addrKey(a.addr) === addrKey(b.addr);
}

/** Fencing of a client whose lock is taken. */
export interface Fencing {
  /** Nothing that it sends arrives any more (rbd_blocklist_on_break_lock). Without, it may still write beside the next owner. */
  readonly blocklists: boolean;
  /** Seconds for which it is kept away; undefined: as long as the monitors do by themselves (rbd_blocklist_expire_seconds). */
  readonly seconds: number | undefined;
}

/** As the image's settings say. */
export async function fencingOf(cluster: Cluster, pool: Pool, imageId: string): Promise<Fencing> {
  const settings = await imageSettings(cluster, pool, imageId);
  return {
    blocklists: settings.flag("rbd_blocklist_on_break_lock"),
    seconds: settings.number("rbd_blocklist_expire_seconds") || undefined,
  };
}

/**
 * Takes a lock from a client, and makes sure first that nothing that they sent off arrives any more: the client is put on the blocklist,
 * with all of its process's images, unless the image's settings say otherwise. A lock of our own is only given back: what we sent is known to us.
 */
export async function breakLockOf(
  cluster: Cluster,
  pool: Pool,
  imageId: string,
  locker: Locker,
  { blocklists, seconds }: Fencing,
): Promise<void> {
  const isOurs = locker.client === cluster.globalId;
  if (!isOurs && blocklists) await cluster.blocklist("add", addrKey(locker.addr), seconds);
  const freed = isOurs ? unlock(imageLockName, locker.cookie) : breakLock(imageLockName, locker);
  await changeAll(pool, headerObject(imageId), [freed]).catch(unless("ENOENT"));
}

/** `192.0.2.1:0/1234`, as in the blocklist. */
export function addrKey({ family, address, port, nonce }: EntityAddr): string {
  return `${family === 6 ? `[${address}]` : address}:${port}/${nonce}`;
}

function watchCookieOf({ cookie }: Locker): bigint | undefined {
  const digits = /^auto (\d+)$/.exec(cookie)?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}
