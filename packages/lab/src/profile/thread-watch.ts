import { type ThreadTimes, threadTimes } from "../host/proc.ts";
import type { ProfileThread } from "./profile.ts";

/** Follows the CPU time of a process's threads, those that begin or end meanwhile too. */
export class ThreadWatch {
  readonly #pid: number;
  readonly #began: number;
  readonly #seen = new Map<number, { first: ThreadTimes; last: ThreadTimes }>();
  #lastRead: number;

  constructor(pid: number) {
    this.#pid = pid;
    this.#began = performance.now();
    this.#lastRead = this.#began;
    for (const thread of threadTimes(pid)) this.#seen.set(thread.tid, { first: thread, last: thread });
  }

  /** Reads all threads now; returns them by id, none when the process has ended. */
  read(): Map<number, ThreadTimes> {
    const threads = threadTimes(this.#pid);
    if (threads.length > 0) this.#lastRead = performance.now();
    for (const thread of threads) {
      const seen = this.#seen.get(thread.tid);
      // One that was not there at the start began with nothing used.
      if (seen) seen.last = thread;
      else this.#seen.set(thread.tid, { first: { ...thread, cpu: 0, delayed: 0 }, last: thread });
    }
    return new Map(threads.map((thread) => [thread.tid, thread]));
  }

  /** CPU seconds of all threads since the watch began. */
  get cpu(): number {
    let sum = 0;
    for (const { first, last } of this.#seen.values()) sum += last.cpu - first.cpu;
    return sum;
  }

  /** Seconds from the start of the watch to the last reading. */
  get seconds(): number {
    return (this.#lastRead - this.#began) / 1000;
  }

  /** What each thread used, in percent of the time in which it was free to run; the busiest first. */
  threads(stoppedSeconds: number): ProfileThread[] {
    const seconds = Math.max(this.seconds - stoppedSeconds, 1e-3);
    const percent = (share: number) => Math.min(100, Math.max(0, (share / seconds) * 100));
    return [...this.#seen.values()]
      .map(({ first, last }) => ({
        tid: last.tid,
        name: last.name,
        busy: percent(last.cpu - first.cpu),
        delayed: percent(last.delayed - first.delayed),
      }))
      .toSorted((a, b) => b.busy - a.busy || a.tid - b.tid);
  }
}
