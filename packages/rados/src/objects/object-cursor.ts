import { Reader, Writer } from "@siphon/wire";
import { NO_SNAP } from "../objecter/snap-context.ts";
import { readObjectPosition, reverseBits } from "../osdmap/object-position.ts";

/** A position in the listing order of a pool's objects; `hobject_t` of src/common/hobject.h. */
export interface ObjectCursor {
  poolId: number;
  /** Hash of the object's name: 32 bits. */
  hash: number;
  namespace: string;
  /** The locator key that placed the object instead of its name. */
  key: string;
  name: string;
  /** After all objects. */
  isMax: boolean;
}

/** Before all objects whose bit-reversed hash is this or more. */
export function cursorAt(poolId: number, reversedHash: number): ObjectCursor {
  const isMax = reversedHash >= endOfHashes;
  const hash = isMax ? 0 : reverseBits(reversedHash);
  return { poolId, hash, namespace: "", key: "", name: "", isMax };
}

/** After the last hash in listing order. */
export const endOfHashes = 0x1_0000_0000;

/** A cursor's rank in listing order; the OSD orders objects with the same hash. */
export function reversedHash({ isMax, hash }: ObjectCursor): number {
  return isMax ? endOfHashes : reverseBits(hash);
}

/** As `readObjectPosition` has it: versioned(4, 3). */
export function writeCursor(w: Writer, { poolId, hash, namespace, key, name, isMax }: ObjectCursor): Writer {
  const isObject = name !== "";
  return w.versioned(4, 3, () => {
    w.string(key)
      .string(name)
      .u64(isObject ? NO_SNAP : 0);
    w.u32(hash).bool(isMax).string(namespace).u64(poolId);
  });
}

export function readCursor(r: Reader): ObjectCursor {
  const { pool, hash, namespace, key, name, isMax } = readObjectPosition(r);
  return { poolId: Number(pool), hash, namespace: `${namespace}`, key: `${key}`, name: `${name}`, isMax };
}

/** A text form for a later `listObjects`. */
export function cursorText(cursor: ObjectCursor): string {
  return writeCursor(new Writer(), cursor).finish().toString("base64url");
}

/** @throws WireError for a text that is not from `cursorText` */
export function parseCursor(text: string): ObjectCursor {
  return readCursor(new Reader(Buffer.from(text, "base64url"), "cursor of a listing"));
}
