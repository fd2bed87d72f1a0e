/** Progress of a load, once a second; latencies in seconds, bandwidths in MiB/s. */
export interface LoadSecond {
  second: number;
  inFlight: number;
  started: number;
  finished: number;
  averageBandwidth: number;
  /** Bandwidth of the last second; 0, without latencies, if nothing was finished. */
  bandwidth: number;
  lastLatency: number | undefined;
  averageLatency: number;
}

/** The result of a load. */
export interface LoadResult {
  seconds: number;
  finished: number;
  bandwidth: Spread;
  iops: Spread;
  latency: Spread;
}

/** The average of the whole; the others of its seconds, or of its operations. */
export interface Spread {
  average: number;
  deviation: number;
  max: number;
  min: number;
}

export interface LoadOptions {
  /** Seconds in which operations are started. */
  seconds: number;
  concurrency: number;
  /** Maximum number of operations; default: no limit. */
  limit?: number;
  /** Bytes of an operation. */
  opBytes: number;
  signal?: AbortSignal | undefined;
  onSecond?: ((now: LoadSecond) => void) | undefined;
}

/**
 * Keeps a number of operations in flight until the time is up, and waits for the last.
 *
 * @param operate carries the operation with this number out
 */
export async function runLoad(
  operate: (index: number) => Promise<unknown>,
  { seconds, concurrency, limit = Number.POSITIVE_INFINITY, opBytes, signal, onSecond }: LoadOptions,
): Promise<LoadResult> {
  const tally = new Tally(opBytes);
  const start = performance.now();
  const end = start + seconds * 1000;
  let failed: unknown;
  const work = async () => {
    while (failed === undefined && tally.started < limit && performance.now() < end) {
      signal?.throwIfAborted();
      const begun = performance.now();
      try {
        await operate(tally.started++);
      } catch (error) {
        failed ??= error;
        throw error;
      }
      tally.finish((performance.now() - begun) / 1000);
    }
  };
  const workers = Array.from({ length: concurrency }, work);
  onSecond?.(tally.second(0));
  const look = () => onSecond?.(tally.second((performance.now() - start) / 1000));
  const timer = setInterval(look, 1000);
  try {
    await Promise.allSettled(workers);
    await Promise.all(workers);
  } finally {
    clearInterval(timer);
  }
  // The last second may end a moment before its timer does.
  if ((performance.now() - start) / 1000 - tally.lookedAt > 0.5) look();
  return tally.result((performance.now() - start) / 1000);
}

class Tally {
  started = 0;
  #finished = 0;
  #finishedBefore = 0;
  /** Time of the last report, in seconds from the start. */
  lookedAt = 0;
  #lastLatency: number | undefined;
  readonly #opMebibytes: number;
  readonly #latency = new Running();
  readonly #bandwidths = new Running();
  readonly #iops = new Running();

  constructor(opBytes: number) {
    this.#opMebibytes = opBytes / 2 ** 20;
  }

  finish(latency: number): void {
    this.#finished++;
    this.#lastLatency = latency;
    this.#latency.add(latency);
  }

  second(elapsed: number): LoadSecond {
    const operations = this.#finished - this.#finishedBefore;
    const rate = elapsed > 0 ? operations / (elapsed - this.lookedAt) : 0;
    if (elapsed > 0) {
      this.#bandwidths.add(rate * this.#opMebibytes);
      this.#iops.add(operations);
    }
    this.lookedAt = elapsed;
    this.#finishedBefore = this.#finished;
    return {
      ...{ second: Math.round(elapsed), inFlight: this.started - this.#finished },
      ...{ started: this.started, finished: this.#finished },
      averageBandwidth: elapsed > 0 ? (this.#finished * this.#opMebibytes) / elapsed : 0,
      bandwidth: rate * this.#opMebibytes,
      lastLatency: operations > 0 ? this.#lastLatency : undefined,
      averageLatency: this.#latency.mean,
    };
  }

  result(seconds: number): LoadResult {
    const rate = seconds > 0 ? this.#finished / seconds : 0;
    return {
      ...{ seconds, finished: this.#finished },
      bandwidth: this.#bandwidths.spread(rate * this.#opMebibytes),
      iops: this.#iops.spread(Math.trunc(rate)),
      latency: this.#latency.spread(this.#latency.mean),
    };
  }
}

/** Running mean and deviation (Welford). */
class Running {
  mean = 0;
  #count = 0;
  #squares = 0;
  #max = 0;
  #min = Number.POSITIVE_INFINITY;

  add(value: number): void {
    const distance = value - this.mean;
    this.mean += distance / ++this.#count;
    this.#squares += distance * (value - this.mean);
    this.#max = Math.max(this.#max, value);
    this.#min = Math.min(this.#min, value);
  }

  spread(average: number): Spread {
    const deviation = this.#count > 1 ? Math.sqrt(this.#squares / (this.#count - 1)) : 0;
    return { average, deviation, max: this.#max, min: this.#count > 0 ? this.#min : 0 };
  }
}
