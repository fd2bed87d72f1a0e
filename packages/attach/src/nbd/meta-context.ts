import type { ExtentSource } from "../extent-source.ts";
import { maxString } from "./protocol.ts";
import type { MetaContext } from "./session.ts";

/** The query of LIST_META_CONTEXT and SET_META_CONTEXT. */
export interface ContextQuery {
  readonly exportName: string;
  readonly queries: readonly string[];
}

/**
 * u32 length, name of the export, u32 number of queries, and for each u32 length, query. Undefined for anything else.
 */
export function parseContextQuery(data: Buffer): ContextQuery | undefined {
  let at = 0;
  const text = (): string | undefined => {
    if (data.length - at < 4) return undefined;
    const length = data.readUInt32BE(at);
    if (length > maxString || data.length - at - 4 < length) return undefined;
    at += 4 + length;
    return data.toString("utf8", at - length, at);
  };
  const exportName = text();
  if (exportName === undefined || data.length - at < 4) return undefined;
  const count = data.readUInt32BE(at);
  at += 4;
  if (count > mostQueries) return undefined;
  const queries: string[] = [];
  for (let i = 0; i < count; i++) {
    const query = text();
    if (query === undefined) return undefined;
    queries.push(query);
  }
  return at === data.length ? { exportName, queries } : undefined;
}

/**
 * The contexts that queries match. When listing, a query may be a prefix of a name that ends with `:` or `/`, and no
 * query means all contexts. When setting, only complete names count, up to a maximum number.
 */
export function contextsFor(
  extents: ExtentSource | undefined,
  queries: readonly string[],
  setting: boolean,
): MetaContext[] {
  if (extents === undefined) return [];
  const known = [
    { name: allocationContext, since: undefined },
    ...extents.snapshotNames().map((snapshot) => ({ name: diffPrefix + snapshot, since: snapshot })),
  ];
  const matches = (name: string): boolean => {
    if (!setting && queries.length === 0) return true;
    return queries.some(
      (query) => query === name || (!setting && /[:/]$/.test(query) && name.startsWith(query)),
    );
  };
  const found = known.filter(({ name }) => matches(name)).slice(0, setting ? mostContexts : undefined);
  return found.map(({ name, since }, i) => ({ id: i + 1, name, since }));
}

/**
 * The payload of a BLOCK_STATUS about some contexts only: u64 length of the range, u32 id of each context. Undefined if
 * a context was not negotiated or is named twice.
 */
export function parseStatusPayload(
  payload: Buffer,
  agreed: readonly MetaContext[],
): { length: number; wanted: readonly MetaContext[] | undefined } {
  const length = Number(payload.readBigUInt64BE(0));
  const wanted: MetaContext[] = [];
  for (let at = 8; at < payload.length; at += 4) {
    const context = agreed.find(({ id }) => id === payload.readUInt32BE(at));
    if (context === undefined || wanted.includes(context)) return { length, wanted: undefined };
    wanted.push(context);
  }
  return { length, wanted };
}

const allocationContext = "base:allocation";
const diffPrefix = "siphon:diff/";
const mostContexts = 16;
/** Limit: each query is compared with all names. */
const mostQueries = 256;
