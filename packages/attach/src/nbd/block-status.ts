import type { Extent, ExtentSource } from "../extent-source.ts";
import { allocationState, diffState } from "./protocol.ts";
import type { MetaContext } from "./session.ts";

/** The status of a range in one context. */
export interface BlockStatus {
  readonly context: MetaContext;
  readonly extents: readonly Extent[];
  flagsOf(extent: Extent): number;
}

export interface StatusQuery {
  readonly offset: number;
  /** Ends within the device. */
  readonly length: number;
  /** The client wants only the first extent. */
  readonly onlyFirst: boolean;
  /** The longest extent that the reply can hold, in bytes. */
  readonly longestExtent: number;
}

/** Asks the source about a range for each of the contexts. */
export async function blockStatus(
  source: ExtentSource,
  contexts: readonly MetaContext[],
  query: StatusQuery,
): Promise<BlockStatus[]> {
  const { offset, length } = query;
  return Promise.all(
    contexts.map(async (context) => {
      const { since } = context;
      const found =
        since === undefined
          ? await source.allocation(offset, length)
          : await source.changedSince(since, offset, length);
      const flagsOf = since === undefined ? allocationFlags : diffFlags;
      return { context, extents: fitted(found, query), flagsOf };
    }),
  );
}

/** Merges equal neighbours, cuts at the end of the range, and limits the number of extents in a reply. */
function fitted(found: readonly Extent[], { length, onlyFirst, longestExtent }: StatusQuery): Extent[] {
  const fitting: Extent[] = [];
  let left = length;
  for (const { kind, length: whole } of found) {
    if (left === 0) break;
    const last = fitting.at(-1);
    const portion = Math.min(whole, left);
    if (last?.kind === kind && last.length + portion <= longestExtent) {
      fitting[fitting.length - 1] = { kind, length: last.length + portion };
    } else if (fitting.length === (onlyFirst ? 1 : mostExtents)) {
      break;
    } else if (portion > longestExtent) {
      fitting.push({ kind, length: longestExtent });
      break;
    } else {
      fitting.push({ kind, length: portion });
    }
    left -= portion;
  }
  return fitting;
}

/** Extents in one reply: a client asks again for the rest, and a reply must not fill its memory. */
const mostExtents = 8192;

function allocationFlags({ kind }: Extent): number {
  return kind === "zero" ? allocationState.hole | allocationState.zero : 0;
}

function diffFlags({ kind }: Extent): number {
  if (kind === "same") return 0;
  return kind === "zero" ? diffState.changed | diffState.zero : diffState.changed;
}
