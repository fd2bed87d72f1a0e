import { type EntityAddr, Reader, readEntityAddr, type Writer } from "@siphon/wire";
import type { ClassCall } from "./class-call.ts";
import { written } from "./class-call.ts";

/** Methods of the class `lock` (src/cls/lock/cls_lock_ops.h, cls_lock_types.h); all inputs are versioned. */

export type LockType = "none" | "exclusive" | "shared" | "ephemeral";

export interface Locker {
  /** The client's number. */
  client: bigint;
  cookie: string;
  addr: EntityAddr;
  description: string;
  /** Microseconds since 1970; 0: the lock never expires. */
  expires: number;
}

export interface LockInfo {
  type: LockType;
  tag: string;
  lockers: Locker[];
}

export interface LockSpec {
  name: string;
  type: "exclusive" | "shared";
  cookie: string;
  tag: string;
}

/** A description for the list of lockers, and the seconds after which the lock expires; 0: never. */
export interface LockDetails {
  description?: string;
  seconds?: number;
}

/** lock: string name, u8 type, string cookie, string tag, string description, time until it ends (0: never), u8 flags. */
export function lock(spec: LockSpec, { description = "", seconds = 0 }: LockDetails = {}): ClassCall {
  const { name, type, cookie, tag } = spec;
  return changeLock("lock", (w) =>
    w
      .string(name)
      .u8(typeCodes[type])
      .string(cookie)
      .string(tag)
      .string(description)
      .u32(seconds)
      .u32(0)
      .u8(0),
  );
}

export function unlock(name: string, cookie: string): ClassCall {
  return changeLock("unlock", (w) => w.string(name).string(cookie));
}

/** break_lock: string name, locker (u8 type of entity, i64 number), string cookie. */
export function breakLock(name: string, locker: Pick<Locker, "client" | "cookie">): ClassCall {
  return changeLock("break_lock", (w) =>
    w.string(name).u8(clientType).u64(locker.client).string(locker.cookie),
  );
}

/** set_cookie: string name, u8 type, string cookie, string tag, string new cookie. */
export function setCookie({ name, type, cookie, tag }: LockSpec, newCookie: string): ClassCall {
  return changeLock("set_cookie", (w) =>
    w.string(name).u8(typeCodes[type]).string(cookie).string(tag).string(newCookie),
  );
}

/** Fails with EBUSY unless the lock is ours: guards the other steps of an operation. */
export function assertLocked({ name, type, cookie, tag }: LockSpec): ClassCall {
  return changeLock("assert_locked", (w) => w.string(name).u8(typeCodes[type]).string(cookie).string(tag));
}

/** list_locks: no input -> versioned; the names of the object's locks. */
export function listLocks(): ClassCall<string[]> {
  return {
    ...{ className: "lock", method: "list_locks", input: Buffer.alloc(0) },
    decode: (output) =>
      new Reader(output, "answer of lock.list_locks").versioned("cls_lock_list_locks_reply", 1, (r) =>
        r.list(4, (each) => each.string()),
      ),
  };
}

/**
 * get_info: string name -> versioned; lockers, u8 type, string tag. A locker: locker_id_t (versioned: u8 type of entity, i64
 * number, string cookie), locker_info_t (versioned: time, address, string description).
 */
export function getLockInfo(name: string): ClassCall<LockInfo> {
  return {
    ...{
      className: "lock",
      method: "get_info",
      input: written((w) => w.versioned(1, 1, () => w.string(name))),
    },
    decode: (output) =>
      new Reader(output, "answer of lock.get_info").versioned("cls_lock_get_info_reply", 1, (r) => {
        const lockers = r.list(12, readLocker);
        return { lockers, type: typeNames[r.u8()] ?? "none", tag: r.string() };
      }),
  };
}

function readLocker(r: Reader): Locker {
  const id = r.versioned("locker_id_t", 1, () => {
    r.skip(1);
    return { client: r.i64(), cookie: r.string() };
  });
  return r.versioned("locker_info_t", 1, () => {
    const expires = r.u32() * 1e6 + Math.floor(r.u32() / 1e3);
    return { ...id, addr: readEntityAddr(r), description: r.string(), expires };
  });
}

function changeLock(method: string, body: (w: Writer) => void): ClassCall {
  return {
    ...{ className: "lock", method, input: written((w) => w.versioned(1, 1, body)) },
    decode: () => {},
  };
}

const typeNames: readonly LockType[] = ["none", "exclusive", "shared", "ephemeral"];
const typeCodes = { exclusive: 1, shared: 2 } as const;
/** CEPH_ENTITY_TYPE_CLIENT. */
const clientType = 8;
