import { strHashRjenkins } from "@siphon/wire";
import { RadosError } from "../errors.ts";
import type { Pool } from "./pool.ts";

/** The inputs of an object's placement besides its name. */
export interface ObjectLocator {
  namespace?: string | undefined;
  /** Replaces the name, so that objects with the same key share a PG. */
  key?: string | undefined;
}

/** The 32-bit hash that decides an object's PG (pg_pool_t::hash_key in src/osd/osd_types.cc). */
export function objectHash(pool: Pool, name: string, locator: ObjectLocator = {}): number {
  const { namespace = "", key = "" } = locator;
  const text = namespace === "" ? key || name : `${namespace}\x1f${key || name}`;
  const length = Buffer.byteLength(text);
  const bytes = length <= scratch.length ? scratch : Buffer.allocUnsafe(length);
  bytes.write(text);
  switch (pool.objectHash) {
    case 1:
      return strHashLinux(bytes, length);
    case 2:
      return strHashRjenkins(bytes, 0, length);
    default:
      throw new RadosError(
        "SIPHON_RADOS_PROTOCOL",
        `pool ${pool.id} hashes object names by method ${pool.objectHash}, which is not supported`,
      );
  }
}

const scratch = Buffer.alloc(512);

/** The old hash of Linux' directory cache (src/common/ceph_hash.cc). */
function strHashLinux(bytes: Uint8Array, length: number): number {
  let hash = 0;
  for (let i = 0; i < length; i++) {
    const c = bytes[i]!;
    hash = Math.imul((hash + (c << 4) + (c >> 4)) | 0, 11);
  }
  return hash >>> 0;
}

/**
 * The bin of a hash among `count` bins, such that a growing count moves as little as possible (ceph_stable_mod in
 * src/include/rados.h).
 */
export function stableMod(hash: number, count: number): number {
  const mask = 2 ** (32 - Math.clz32(count - 1)) - 1;
  const bin = (hash & mask) >>> 0;
  return bin < count ? bin : (hash & (mask >>> 1)) >>> 0;
}
