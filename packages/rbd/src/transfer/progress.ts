/** How far a transfer is. */
export interface TransferProgress {
  /** Bytes that are done, of `total`; of the image, whether they had to be carried or not. */
  readonly done: number;
  readonly total: number;
  /** Recent rate in bytes per second; undefined until there are enough data. */
  readonly bytesPerSecond: number | undefined;
  readonly secondsLeft: number | undefined;
}

/** Milliseconds that the rate is taken over. */
const rateWindow = 5000;
const leastBetweenSamples = 100;

/** Makes progress reports with rate and remaining time of the bare counts that transfers report. */
export class ProgressMeter {
  readonly #clock: () => number;
  /** Not older than `rateWindow`, but for the first. */
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
