import type { WriteHold } from "@siphon/rbd";
import { type LatencyFigures, LatencyHistogram } from "./latency-histogram.ts";

export type IoKind = "read" | "write" | "flush" | "discard" | "write_zeroes";
export const ioKinds: readonly IoKind[] = ["read", "write", "flush", "discard", "write_zeroes"];

/** Index of each kind in the arrays of `IoMetrics`. */
export const ioKind = { read: 0, write: 1, flush: 2, discard: 3, writeZeroes: 4 } as const;

/** `waiting`: the cluster does not answer; `paused`: by the disk's error policy. */
export type DiskState = "serving" | "waiting" | "paused";

/** I/O figures of one disk, as sent from one process to another. */
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

/** `inFlight`, `connections`, `throttled` and `inLimits`, in this order. */
const plainCounters = 4;

/** I/O counters of one disk, for all its clients. They cost the data path almost nothing. */
export class IoMetrics {
  /** Bytes of memory for the counters. */
  static readonly byteLength =
    8 * (plainCounters + 3 * ioKinds.length + ioKinds.length * LatencyHistogram.size);
  /** @internal */
  readonly memory: Float64Array;
  state: DiskState;
  /** The reason why writes would wait; see `Image.writeHold`. */
  hold: () => WriteHold | undefined;
  /** By kind: completed operations, including failed ones. */
  readonly operations: Float64Array;
  readonly bytes: Float64Array;
  readonly errors: Float64Array;
  readonly latencies: readonly LatencyHistogram[];

  /**
   * @param figures initial values; default 0
   * @param memory memory of the counters, which other threads may read
   */
  constructor(figures?: IoFigures, memory: ArrayBufferLike = new ArrayBuffer(IoMetrics.byteLength)) {
    this.memory = new Float64Array(memory);
    let at = plainCounters;
    const take = (length: number) => {
      at += length;
      return this.memory.subarray(at - length, at);
    };
    this.operations = take(ioKinds.length);
    this.bytes = take(ioKinds.length);
    this.errors = take(ioKinds.length);
    this.latencies = ioKinds.map(() => new LatencyHistogram(take(LatencyHistogram.size)));
    this.state = figures?.state ?? "serving";
    this.hold = () => figures?.held;
    if (figures === undefined) return;
    this.inFlight = figures.inFlight;
    this.connections = figures.connections;
    this.throttled = figures.throttled;
    this.operations.set(figures.operations);
    this.bytes.set(figures.bytes);
    this.errors.set(figures.errors);
    for (const [kind, each] of figures.latencies.entries()) {
      this.latencies[kind]!.include(LatencyHistogram.of(each));
    }
  }

  get inFlight(): number {
    return this.memory[0]!;
  }

  set inFlight(count: number) {
    this.memory[0] = count;
  }

  /** Connected clients. */
  get connections(): number {
    return this.memory[1]!;
  }

  set connections(count: number) {
    this.memory[1] = count;
  }

  /** Operations that have waited for the disk's limits. */
  get throttled(): number {
    return this.memory[2]!;
  }

  set throttled(count: number) {
    this.memory[2] = count;
  }

  /** Operations in flight that wait for the limits now. */
  get inLimits(): number {
    return this.memory[3]!;
  }

  set inLimits(count: number) {
    this.memory[3] = count;
  }

  /** Becomes the sum of these counters, to which other threads may still add. */
  addUp(parts: readonly IoMetrics[]): void {
    const { memory } = this;
    memory.fill(0);
    for (const part of parts) for (let i = 0; i < memory.length; i++) memory[i]! += part.memory[i]!;
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

  /** Records the start of an operation and returns its time, for `finished`. */
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
