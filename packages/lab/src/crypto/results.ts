import type { Estimate } from "../results/schema.ts";

/** The block sizes of `openssl speed`, which the study shows; bytes. */
export const blockSizes = [16, 64, 256, 1024, 8192, 16384] as const;

export type Direction = "decrypt" | "encrypt";

/** The program that encrypts. */
export type SourceName = "openssl" | "evp" | "node";

/** The speed at one block size. */
export interface Speed {
  /** Bytes a block. */
  size: number;
  /** Bytes per second of CPU time. */
  speed: Estimate;
  /** The rounds' own figures. */
  runs: number[];
}

export interface Series {
  source: SourceName;
  direction: Direction;
  speeds: Speed[];
}

/** AES-128-GCM on this machine. */
export interface CryptoResults {
  schema: 1;
  started: string;
  finished: string;
  /** False when it was interrupted; then the series have fewer rounds. */
  complete: boolean;
  rounds: number;
  /** CPU seconds of each measurement by openssl; Node's take a quarter. */
  seconds: number;
  seed: number;
  facts: { name: string; value: string }[];
  series: Series[];
  skipped: { source: SourceName; reason: string }[];
}

/** Titles of the sources, for readers. */
export const sources: Record<SourceName, { title: string; short: string; what: string }> = {
  openssl: {
    title: "openssl speed",
    short: "openssl",
    what: "OpenSSL’s command: one update a block, with neither a nonce nor a tag for each",
  },
  evp: {
    title: "Node, EVP by koffi",
    short: "EVP",
    what: "the same functions inside the node binary, a whole frame as messenger v2 has it: nonce, one update, tag",
  },
  node: {
    title: "Node, node:crypto",
    short: "node:crypto",
    what: "Node’s own crypto objects with a key object, a whole frame: nonce, one update, tag",
  },
};

/** A series of the results, when it was measured. */
export function seriesOf(
  results: CryptoResults,
  source: SourceName,
  direction: Direction,
): Series | undefined {
  return results.series.find((each) => each.source === source && each.direction === direction);
}
