import type { Cluster, Pool } from "@siphon/rados";
import { type EntityAddr, errno } from "@siphon/wire";
import { breakLock, getLockInfo, type Locker, type LockInfo, type LockSpec, unlock } from "../cls/lock.ts";
import { ask, changeAll } from "../cls/run.ts";
import { describe } from "../describe.ts";
import { hasCode, RbdError, unless } from "../errors.ts";
import type { ImageState } from "../image-state.ts";
import { headerObject } from "../object-names.ts";
import { imageSettings } from "../settings/settings.ts";

/** RBD_LOCK_NAME: the name of every lock on an image. */
export const imageLockName = "rbd_lock";
/** Tag of exclusive locks; locks with other tags were taken manually (`rbd lock add`). */
export const managedTag = "internal";

/** The lock for the owner of this watch (src/librbd/managed_lock/Utils.cc). */
export function managedLock(watchCookie: bigint): LockSpec {
  return { name: imageLockName, type: "exclusive", cookie: `auto ${watchCookie}`, tag: managedTag };
}

export function readImageLock(pool: Pool, imageId: string): Promise<LockInfo> {
  return ask(pool, headerObject(imageId), getLockInfo(imageLockName)).catch((error) => {
    if (hasCode(error, "ENOENT")) return { type: "none", tag: "", lockers: [] } as LockInfo;
    throw error;
  });
}

/** The owner of an image's exclusive lock; undefined if it is free. */
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
 * Whether the owner still watches the image; then the lock must be requested, not broken. An owner with a watch of
 * another cookie is alive, too: it watches again, and is about to rename its lock. For this client itself only the
 * watch that the lock names counts, because another watch may belong to the image that requests the lock.
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

/** Whether an owner that was found dead still has the lock with the same cookie, and has not come back. */
export async function isStillDead(
  cluster: Pick<Cluster, "globalId">,
  pool: Pool,
  image: Pick<ImageState, "id" | "name">,
  before: Locker,
): Promise<boolean> {
  if (!isSameOwner(await findOwner(pool, image), before)) return false;
  if (await isAlive(cluster, pool, image.id, before)) return false;
  // A client that released the lock and then ended its watch no longer has the lock.
  return isSameOwner(await findOwner(pool, image), before);
}

export function isSameOwner(a: Locker | undefined, b: Locker): boolean {
  return a?.client === b.client && a.cookie === b.cookie && addrKey(a.addr) === addrKey(b.addr);
}

/** Fencing of a client whose lock is broken. */
export interface Fencing {
  /**
   * Puts the client on the blocklist (rbd_blocklist_on_break_lock). Without this, its writes may still arrive beside
   * those of the next owner.
   */
  readonly blocklists: boolean;
  /** Seconds on the blocklist; undefined: the monitors' default (rbd_blocklist_expire_seconds). */
  readonly seconds: number | undefined;
}

/** According to the image's settings. */
export async function fencingOf(cluster: Cluster, pool: Pool, imageId: string): Promise<Fencing> {
  const settings = await imageSettings(cluster, pool, imageId);
  return {
    blocklists: settings.flag("rbd_blocklist_on_break_lock"),
    seconds: settings.number("rbd_blocklist_expire_seconds") || undefined,
  };
}

/**
 * Breaks a client's lock. First puts the client on the blocklist, which affects all images of its process, so that its
 * writes in flight no longer arrive, unless the image's settings say otherwise. This client's own lock is only
 * released, because its writes in flight are known.
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
