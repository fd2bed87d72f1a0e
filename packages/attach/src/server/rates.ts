import { IoMetrics, ioKind } from "./io-metrics.ts";
import { LatencyHistogram } from "./latency-histogram.ts";

/** I/O of a disk in a period of time. */
export interface IoRates {
  readIops: number;
  writeIops: number;
  /** In bytes a second. */
  readBandwidth: number;
  writeBandwidth: number;
  /** Latencies of reads and writes, in seconds; 0 without operations. */
  p50: number;
  p99: number;
  inFlight: number;
  /** Failed operations of all kinds. */
  errors: number;
}

/** Computes the I/O between two successive figures of a disk. */
export class RateWatch {
  #at = performance.now();
  #before: IoMetrics | undefined;

  /** The first call returns zeros. */
  next(metrics: IoMetrics): IoRates {
    // After a restart the server's counters begin at zero.
    const last = this.#before ?? metrics;
    const restarted = metrics.operations.some((count, kind) => count < last.operations[kind]!);
    const before = restarted ? new IoMetrics() : last;
    const now = performance.now();
    const seconds = Math.max(now - this.#at, 1) / 1000;
    const rate = (which: "operations" | "bytes", kind: number) =>
      (metrics[which][kind]! - before[which][kind]!) / seconds;
    const both = new LatencyHistogram();
    for (const kind of [ioKind.read, ioKind.write])
      both.include(metrics.latencies[kind]!.since(before.latencies[kind]!));
    this.#at = now;
    this.#before = new IoMetrics(metrics.figures);
    return {
      readIops: rate("operations", ioKind.read),
      writeIops: rate("operations", ioKind.write),
      readBandwidth: rate("bytes", ioKind.read),
      writeBandwidth: rate("bytes", ioKind.write),
      p50: both.quantile(0.5),
      p99: both.quantile(0.99),
      inFlight: metrics.inFlight,
      errors: metrics.errors.reduce((sum, count, kind) => sum + count - before.errors[kind]!, 0),
    };
  }
}
