/** Progress of a transfer. */
export interface TransferProgress {
  /** Bytes of the image that are done, of `total`, transferred or skipped. */
  readonly done: number;
  readonly total: number;
  /** Recent rate in bytes per second; undefined at the beginning. */
  readonly bytesPerSecond: number | undefined;
  readonly secondsLeft: number | undefined;
}

/** Milliseconds over which the rate is computed. */
const rateWindow = 5000;
const leastBetweenSamples = 100;

/** Adds rate and remaining time to the byte counts that transfers report. */
export class ProgressMeter {
  readonly #clock: () => number;
  /** Samples of the last `rateWindow`, plus one older. */
  readonly #samples: { time: number; done: number }[] = [];

  /** @param clock milliseconds; of any origin */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#samples.push({ time: clock(), done: 0 });
  }

  update(done: number, total: number): TransferProgress {
    const time = this.#clock();
    const samples = this.#samples;
    while (samples.length > 1 && samples[1]!.time <= time - rateWindow) samples.shift();
    const elapsed = time - samples[0]!.time;
    const carried = done - samples[0]!.done;
    if (time - samples.at(-1)!.time >= leastBetweenSamples) samples.push({ time, done });
    if (elapsed < leastBetweenSamples || carried <= 0) {
      return { done, total, bytesPerSecond: undefined, secondsLeft: undefined };
    }
    const bytesPerSecond = (carried * 1000) / elapsed;
    return { done, total, bytesPerSecond, secondsLeft: Math.max(0, total - done) / bytesPerSecond };
  }
}
