import { Reader, Writer } from "@siphon/wire";
import { opCode } from "../../objecter/op-code.ts";
import type { Op } from "../op.ts";

export type Comparison = "=" | "!=" | ">" | ">=" | "<" | "<=";

/** A condition on an omap value. */
export interface OmapGuard {
  comparison: "=" | ">" | "<";
  value: Uint8Array;
}

/** A part of an object's omap, in the order of the keys' bytes. */
export interface OmapRange {
  /** Keys behind this one. */
  after?: string;
  /** Only keys that begin so. */
  prefix?: string;
  /** Default 1,000; the OSD may give fewer (osd_max_omap_entries_per_request). */
  limit?: number;
}

export interface OmapKeysPage {
  keys: string[];
  /** There are further ones. */
  more: boolean;
}

export interface OmapPage {
  values: Map<string, Buffer>;
  more: boolean;
}

/** Input: string after, u64 limit. Output: list of strings, bool whether there are more. */
export function getOmapKeys({ after = "", limit = 1_000 }: OmapRange): Op<OmapKeysPage> {
  return {
    code: opCode.omapGetKeys,
    input: new Writer().string(after).u64(limit).finish(),
    decode: (output) => {
      const r = new Reader(output, "omap keys");
      return { keys: r.list(4, () => r.string()), more: r.bool() };
    },
  };
}

/** Input: string after, u64 limit, string prefix. Output: map of strings to blobs, bool whether there are more. */
export function getOmapValues({ after = "", prefix = "", limit = 1_000 }: OmapRange): Op<OmapPage> {
  return {
    code: opCode.omapGetValues,
    input: new Writer().string(after).u64(limit).string(prefix).finish(),
    decode: (output) => {
      const r = new Reader(output, "omap values");
      return { values: readValues(r), more: r.bool() };
    },
  };
}

export function getOmapValuesByKeys(keys: Iterable<string>): Op<Map<string, Buffer>> {
  return {
    code: opCode.omapGetValuesByKeys,
    input: keyList(keys),
    decode: (output) => readValues(new Reader(output, "omap values")),
  };
}

export function getOmapHeader(): Op<Buffer> {
  return { code: opCode.omapGetHeader, decode: (output) => output };
}

/** Input: map of strings to blob and i32 comparison. */
export function compareOmap(guards: ReadonlyMap<string, OmapGuard>): Op<void> {
  const w = new Writer().map(guards, (w, key, { comparison, value }) =>
    w.string(key).blob(value).i32(comparisons[comparison]),
  );
  return { code: opCode.omapCompare, input: w.finish(), decode: () => {} };
}

const comparisons = { "=": 1, ">": 3, "<": 5 } as const;

export function setOmapValues(values: ReadonlyMap<string, Uint8Array>): Op<void> {
  const w = new Writer().map(values, (w, key, value) => w.string(key).blob(value));
  return { code: opCode.omapSetValues, input: w.finish(), decode: () => {} };
}

export function setOmapHeader(header: Uint8Array): Op<void> {
  return { code: opCode.omapSetHeader, input: header, decode: () => {} };
}

export function removeOmapKeys(keys: Iterable<string>): Op<void> {
  return { code: opCode.omapRemoveKeys, input: keyList(keys), decode: () => {} };
}

export function removeOmapKeyRange(start: string, end: string): Op<void> {
  const input = new Writer().string(start).string(end).finish();
  return { code: opCode.omapRemoveKeyRange, input, decode: () => {} };
}

export function clearOmap(): Op<void> {
  return { code: opCode.omapClear, decode: () => {} };
}

function keyList(keys: Iterable<string>): Buffer {
  return new Writer().list([...keys], (w, key) => w.string(key)).finish();
}

function readValues(r: Reader): Map<string, Buffer> {
  return r.map(
    8,
    () => r.string(),
    () => r.blob(),
  );
}
