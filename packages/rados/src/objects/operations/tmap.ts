import { Writer } from "@siphon/wire";
import { opCode } from "../../objecter/op-code.ts";
import type { Op } from "../op.ts";

/** A change of a map that an object has as its data. */
export type TmapChange =
  | { readonly set: string; readonly value: Uint8Array }
  /** Fails (ENOENT) if the map has no such key. */
  | { readonly remove: string };

/**
 * Input: of each change, in the order of the keys' bytes, u8 's', string key, blob value, or u8 'r', string key (CEPH_OSD_TMAP_*,
 * src/include/rados.h).
 */
export function updateTmap(changes: readonly TmapChange[]): Op<void> {
  const w = new Writer();
  for (const change of changes.toSorted(byKey)) {
    if ("set" in change) w.u8(set).string(change.set).blob(change.value);
    else w.u8(remove).string(change.remove);
  }
  return { code: opCode.tmapUpdate, input: w.finish(), decode: () => {} };
}

const set = "s".charCodeAt(0);
const remove = "r".charCodeAt(0);

function byKey(a: TmapChange, b: TmapChange): number {
  return Buffer.compare(Buffer.from(keyOf(a)), Buffer.from(keyOf(b)));
}

function keyOf(change: TmapChange): string {
  return "set" in change ? change.set : change.remove;
}
