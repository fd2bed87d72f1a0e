/** A histogram as sent from one process to another. */
export interface LatencyFigures {
  readonly counts: Float64Array;
  /** In seconds. */
  readonly sum: number;
}

/** From 1 microsecond to 67 seconds; reported from 16 microseconds. */
const octaves = 26;
const steps = 4;
const firstOctave = 4;

/** Latencies of operations, in buckets of a quarter octave. */
export class LatencyHistogram {
  /** Number of counters. */
  static readonly size = 2 + octaves * steps;
  readonly #totals: Float64Array;
  readonly #counts: Float64Array;

  /** @param memory memory of the counters: zeros, or the counts of another histogram */
  constructor(memory: Float64Array = new Float64Array(LatencyHistogram.size)) {
    this.#totals = memory.subarray(0, 2);
    this.#counts = memory.subarray(2);
  }

  get count(): number {
    return this.#totals[0]!;
  }

  set count(count: number) {
    this.#totals[0] = count;
  }

  /** Sum of all latencies, in seconds. */
  get sum(): number {
    return this.#totals[1]!;
  }

  set sum(sum: number) {
    this.#totals[1] = sum;
  }

  static of({ counts, sum }: LatencyFigures): LatencyHistogram {
    const histogram = new LatencyHistogram();
    histogram.#counts.set(counts);
    histogram.count = counts.reduce((all, count) => all + count, 0);
    histogram.sum = sum;
    return histogram;
  }

  /** A copy. */
  get figures(): LatencyFigures {
    return { counts: this.#counts.slice(), sum: this.sum };
  }

  /** @param milliseconds the latency */
  add(milliseconds: number): void {
    const bucket = Math.floor(Math.log2(milliseconds * 1000) * steps);
    this.#counts[Math.min(Math.max(bucket, 0), octaves * steps - 1)]! += 1;
    this.count++;
    this.sum += milliseconds / 1000;
  }

  /** An upper bound of a quantile in seconds: 0.99 for the 99th percentile. 0 for an empty histogram. */
  quantile(part: number): number {
    let left = this.count * part;
    if (left === 0) return 0;
    let bucket = 0;
    for (; bucket < octaves * steps - 1; bucket++) {
      left -= this.#counts[bucket]!;
      if (left <= 0) break;
    }
    return upperBound(bucket);
  }

  /** Upper bounds in seconds, an octave apart, with the number of latencies at or below them. */
  *cumulative(): Generator<[bound: number, count: number]> {
    let count = 0;
    for (let octave = 0; octave < octaves; octave++) {
      for (let step = 0; step < steps; step++) count += this.#counts[octave * steps + step]!;
      if (octave >= firstOctave) yield [upperBound(octave * steps + steps - 1), count];
    }
  }

  include(other: LatencyHistogram): void {
    for (let i = 0; i < octaves * steps; i++) this.#counts[i]! += other.#counts[i]!;
    this.count += other.count;
    this.sum += other.sum;
  }

  /** The latencies added since `earlier`, an earlier state of this histogram. */
  since(earlier: LatencyHistogram): LatencyHistogram {
    const difference = new LatencyHistogram();
    for (let i = 0; i < octaves * steps; i++) {
      difference.#counts[i] = this.#counts[i]! - earlier.#counts[i]!;
    }
    difference.count = this.count - earlier.count;
    difference.sum = this.sum - earlier.sum;
    return difference;
  }
}

function upperBound(bucket: number): number {
  return 2 ** ((bucket + 1) / steps) / 1e6;
}
