import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { numericSort, quantileSorted } from "simple-statistics";

/** Words that both threads share, in cache lines of their own: the ball, and whether it is being played. */
const [BALL, PLAYING] = [0, 64];

/** The other thread sends an odd ball back. It sleeps while nobody plays. */
const partner = `
  const { workerData: words } = require("node:worker_threads");
  function play() {
    while (Atomics.load(words, ${PLAYING}) === 1) {
      const ball = Atomics.load(words, ${BALL});
      if (ball & 1) Atomics.store(words, ${BALL}, ball + 1 & 0xffff);
    }
  }
  for (;;) {
    Atomics.wait(words, ${PLAYING}, 0);
    play();
  }
`;

/** A millisecond where both threads have a processor. */
const BATCHES = 30;
const ROUND_TRIPS = 50;

/** The other thread is waiting for a processor then. */
const MOST_MS = 5;

/**
 * Measures how far two processors are from each other: how long a word takes from one to the other and back. A hypervisor moves
 * the processors of a virtual machine, together on cores that share a cache, or apart. A word takes several times as long then, and everything that one
 * thread hands to another costs more, though each processor alone is as fast as before.
 */
export class ProcessorDistance implements AsyncDisposable {
  readonly #words = new Int32Array(new SharedArrayBuffer(2 * 4 * PLAYING));
  readonly #partner: Worker;

  private constructor() {
    this.#partner = new Worker(partner, { eval: true, workerData: this.#words });
  }

  /** Undefined on a machine with a single processor. */
  static async start(): Promise<ProcessorDistance | undefined> {
    if (availableParallelism() < 2) return undefined;
    const distance = new ProcessorDistance();
    await once(distance.#partner, "online");
    distance.#partner.unref();
    return distance;
  }

  /** Nanoseconds there and back; undefined where no second processor was free. */
  measure(): number | undefined {
    const words = this.#words;
    const deadline = performance.now() + MOST_MS;
    Atomics.store(words, PLAYING, 1);
    Atomics.notify(words, PLAYING);
    try {
      // It has to wake up.
      if (!play(words, 1, deadline)) return undefined;
      const took: number[] = [];
      while (took.length < BATCHES) {
        const before = performance.now();
        if (!play(words, ROUND_TRIPS, deadline)) return undefined;
        took.push(((performance.now() - before) * 1e6) / ROUND_TRIPS);
      }
      return quantileSorted(numericSort(took), 0.25);
    } finally {
      Atomics.store(words, PLAYING, 0);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#partner.terminate();
  }
}

/** So many looks between two at the clock. */
const LOOKS = 1000;

/** Whether the ball came back so many times before the deadline. */
function play(words: Int32Array, times: number, deadline: number): boolean {
  for (let time = 0; time < times; time++) {
    const ball = Atomics.load(words, BALL);
    // One that came back late is even as well.
    if ((ball & 1) === 0) Atomics.store(words, BALL, ball + 1);
    for (let looks = 0; (Atomics.load(words, BALL) & 1) === 1; looks++) {
      if (looks % LOOKS === LOOKS - 1 && performance.now() > deadline) return false;
    }
  }
  return true;
}
