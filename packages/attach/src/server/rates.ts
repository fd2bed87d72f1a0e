import { type IoMetrics, ioKind } from "./io-metrics.ts";
import { LatencyHistogram } from "./latency-histogram.ts";

/** What a disk did in a stretch of time. */
export interface IoRates {
  readIops: number;
  writeIops: number;
  /** In bytes a second. */
  readBandwidth: number;
  writeBandwidth: number;
  /** Of reads and writes, in seconds; 0 when there were none. */
  p50: number;
  p99: number;
  inFlight: number;
  /** Failed operations of all kinds. */
  errors: number;
}

/** Tells, each time it is asked, what happened since the last time. */
export class RateWatch {
  readonly #metrics: IoMetrics;
  #at = performance.now();
  #operations: Float64Array;
  #bytes: Float64Array;
  #errors: Float64Array;
  #latencies: LatencyHistogram[];

  constructor(metrics: IoMetrics) {
    this.#metrics = metrics;
    this.#operations = metrics.operations.slice();
    this.#bytes = metrics.bytes.slice();
    this.#errors = metrics.errors.slice();
    this.#latencies = metrics.latencies.map(copyOf);
  }

  next(): IoRates {
    const { operations, bytes, errors, latencies, inFlight } = this.#metrics;
    const now = performance.now();
    const seconds = Math.max(now - this.#at, 1) / 1000;
    const rate = (values: Float64Array, before: Float64Array, kind: number) =>
      (values[kind]! - before[kind]!) / seconds;
    const both = new LatencyHistogram();
    for (const kind of [ioKind.read, ioKind.write])
      both.include(latencies[kind]!.since(this.#latencies[kind]!));
    const rates = {
      readIops: rate(operations, this.#operations, ioKind.read),
      writeIops: rate(operations, this.#operations, ioKind.write),
      readBandwidth: rate(bytes, this.#bytes, ioKind.read),
      writeBandwidth: rate(bytes, this.#bytes, ioKind.write),
      p50: both.quantile(0.5),
      p99: both.quantile(0.99),
      inFlight,
      errors: errors.reduce((sum, count, kind) => sum + count - this.#errors[kind]!, 0),
    };
    this.#at = now;
    this.#operations = operations.slice();
    this.#bytes = bytes.slice();
    this.#errors = errors.slice();
    this.#latencies = latencies.map(copyOf);
    return rates;
  }
}

function copyOf(histogram: LatencyHistogram): LatencyHistogram {
  const copy = new LatencyHistogram();
  copy.include(histogram);
  return copy;
}
