import type { WriteHold } from "@siphon/rbd";
import { type LatencyFigures, LatencyHistogram } from "./latency-histogram.ts";

export type IoKind = "read" | "write" | "flush" | "discard" | "write_zeroes";
export const ioKinds: readonly IoKind[] = ["read", "write", "flush", "discard", "write_zeroes"];

/** The place of each kind in the arrays of `IoMetrics`. */
export const ioKind = { read: 0, write: 1, flush: 2, discard: 3, writeZeroes: 4 } as const;

/** `waiting`: the cluster does not answer; `paused`: by the disk's error policy. */
export type DiskState = "serving" | "waiting" | "paused";

/** I/O of one disk, as it goes from one process to another. */
export interface IoFigures {
  readonly inFlight: number;
  readonly connections: number;
  readonly throttled: number;
  readonly state: DiskState;
  readonly held: WriteHold | undefined;
  readonly operations: Float64Array;
  readonly bytes: Float64Array;
  readonly errors: Float64Array;
  readonly latencies: readonly LatencyFigures[];
}

/** I/O of one disk, for all its clients; plain counters that cost the data path next to nothing. */
export class IoMetrics {
  inFlight: number;
  /** Clients that are connected. */
  connections: number;
  /** Operations that had to wait for the disk's limits. */
  throttled: number;
  /** Operations in flight that wait for the limits now. */
  inLimits = 0;
  state: DiskState;
  /** The reason why writes wait, whether there are any or not; see `Image.writeHold`. */
  hold: () => WriteHold | undefined;
  /** By kind: operations that are done, failed ones included. */
  readonly operations: Float64Array;
  readonly bytes: Float64Array;
  readonly errors: Float64Array;
  readonly latencies: readonly LatencyHistogram[];

  /** @param figures where to go on from; otherwise from nothing */
  constructor(figures?: IoFigures) {
    this.inFlight = figures?.inFlight ?? 0;
    this.connections = figures?.connections ?? 0;
    this.throttled = figures?.throttled ?? 0;
    this.state = figures?.state ?? "serving";
    this.hold = () => figures?.held;
    this.operations = figures?.operations.slice() ?? new Float64Array(ioKinds.length);
    this.bytes = figures?.bytes.slice() ?? new Float64Array(ioKinds.length);
    this.errors = figures?.errors.slice() ?? new Float64Array(ioKinds.length);
    this.latencies =
      figures?.latencies.map((each) => LatencyHistogram.of(each)) ??
      ioKinds.map(() => new LatencyHistogram());
  }

  /** A copy. */
  get figures(): IoFigures {
    return {
      ...{ inFlight: this.inFlight, connections: this.connections, throttled: this.throttled },
      ...{ state: this.state, held: this.hold() },
      ...{ operations: this.operations.slice(), bytes: this.bytes.slice(), errors: this.errors.slice() },
      latencies: this.latencies.map(({ figures }) => figures),
    };
  }

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
