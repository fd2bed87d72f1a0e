import { LatencyHistogram } from "./latency-histogram.ts";

export const ioKinds = ["read", "write", "flush", "discard", "write_zeroes"] as const;
export type IoKind = (typeof ioKinds)[number];

/** The place of each kind in the arrays below. */
export const ioKind = { read: 0, write: 1, flush: 2, discard: 3, writeZeroes: 4 } as const;

/** What was done to one disk, for all its clients; plain counters that cost the data path next to nothing. */
export class IoMetrics {
  inFlight = 0;
  /** Clients that are connected. */
  connections = 0;
  /** By kind: operations that are done, failed ones included. */
  readonly operations = new Float64Array(ioKinds.length);
  readonly bytes = new Float64Array(ioKinds.length);
  readonly errors = new Float64Array(ioKinds.length);
  readonly latencies: readonly LatencyHistogram[] = ioKinds.map(() => new LatencyHistogram());

  /** Notes the start of an operation and returns when that was, for `finished`. */
  started(): number {
    this.inFlight++;
    return performance.now();
  }

  /** @param kind a place of `ioKind` */
  finished(kind: number, bytes: number, startedAt: number, failed: boolean): void {
    this.inFlight--;
    this.operations[kind]! += 1;
    if (failed) this.errors[kind]! += 1;
    else this.bytes[kind]! += bytes;
    this.latencies[kind]!.add(performance.now() - startedAt);
  }
}
