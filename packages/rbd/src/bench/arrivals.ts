import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** How requests arrive: at equal distances, or by chance, as from many independent clients. */
export type ArrivalProcess = "fixed" | "poisson";

/** Words that both threads share. */
const [WRITTEN, CALLED, ENDED] = [0, 1, 2];

/** Arrivals that the thread knows ahead, and room for more: it may be late by the difference. */
const AHEAD = 256;
const ROOM = 1024;

/** Sleeps until the next arrival and calls the event loop, once until that has heard it. */
const clock = `
  const { parentPort, workerData: { words, times } } = require("node:worker_threads");
  const now = () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  };
  const goesOn = () => Atomics.load(words, ${ENDED}) === 0;
  for (let turn = 0; goesOn(); turn++) {
    Atomics.wait(words, ${WRITTEN}, turn);
    for (let left; goesOn() && (left = times[turn % ${ROOM}] - now()) > 0; ) {
      Atomics.wait(words, ${ENDED}, 0, left);
    }
    if (goesOn() && Atomics.exchange(words, ${CALLED}, 1) === 0) parentPort.postMessage(null);
  }
`;

/**
 * The times at which requests arrive, whatever becomes of the earlier ones. A thread wakes the event loop for each of them,
 * because the loop's own timers are late by a millisecond or more.
 */
export class Arrivals implements AsyncDisposable {
  readonly #gap: () => number;
  readonly #words = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
  /** On the thread's clock. */
  readonly #times = new Float64Array(new SharedArrayBuffer(ROOM * Float64Array.BYTES_PER_ELEMENT));
  readonly #thread: Worker;
  /** From this thread's clock to the other's, which `performance.now()` is not the same for. */
  #offset = 0;
  #written = 0;
  #taken = 0;
  #last = 0;

  private constructor(rate: number, process: ArrivalProcess, onDue: () => void) {
    const mean = 1000 / rate;
    this.#gap = process === "fixed" ? () => mean : () => -Math.log(1 - Math.random()) * mean;
    const workerData = { words: this.#words, times: this.#times };
    this.#thread = new Worker(clock, { eval: true, workerData });
    this.#thread.on("message", () => {
      Atomics.store(this.#words, CALLED, 0);
      onDue();
    });
  }

  /**
   * The first arrival is soon after.
   *
   * @param rate arrivals a second
   * @param onDue called when an arrival is due
   */
  static async start(rate: number, process: ArrivalProcess, onDue: () => void): Promise<Arrivals> {
    const arrivals = new Arrivals(rate, process, onDue);
    await once(arrivals.#thread, "online");
    arrivals.#begin();
    return arrivals;
  }

  #begin(): void {
    this.#offset = offsetOfClocks();
    const now = performance.now();
    // Parts of a load have their arrivals at different times.
    this.#last = now - Math.random() * this.#gap();
    this.#plan();
  }

  /** When the next request arrived, on the clock of `performance.now()`; undefined if it has not arrived by `now`. */
  take(now: number): number | undefined {
    const arrived = this.#times[this.#taken % ROOM]! - this.#offset;
    if (arrived > now) return undefined;
    this.#taken++;
    this.#plan();
    return arrived;
  }

  #plan(): void {
    for (; this.#written < this.#taken + AHEAD; this.#written++) {
      this.#last += this.#gap();
      this.#times[this.#written % ROOM] = this.#last + this.#offset;
    }
    Atomics.store(this.#words, WRITTEN, this.#written);
    Atomics.notify(this.#words, WRITTEN);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#thread, "exit");
    Atomics.store(this.#words, ENDED, 1);
    Atomics.store(this.#words, WRITTEN, this.#written + 1);
    Atomics.notify(this.#words, ENDED);
    Atomics.notify(this.#words, WRITTEN);
    await ended;
  }
}

/**
 * From the clock of `performance.now()`, which begins with each thread, to that of `process.hrtime()`. A little too much
 * rather than too little: a call before the arrival would find nothing, and the request would wait for the next one.
 */
function offsetOfClocks(): number {
  let [offset, closest] = [0, Number.POSITIVE_INFINITY];
  for (let time = 0; time < 50; time++) {
    const [before, here, after] = [highResolution(), performance.now(), highResolution()];
    if (after - before >= closest) continue;
    [offset, closest] = [after - here, after - before];
  }
  return offset;
}

/** Milliseconds. */
function highResolution(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
