import { type ThreadTimes, threadTimes } from "../host/proc.ts";
import type { ProfileThread } from "./profile.ts";

export type Threads = ReadonlyMap<number, ThreadTimes>;

/** Reads the threads of a process; keeps the last reading after its end. */
export class ThreadWatch {
  readonly #pid: number;
  #threads: Threads = new Map();
  #at = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.read();
  }

  /** Reads all threads; returns them by id, empty if the process has ended. */
  read(): Threads {
    const threads = threadTimes(this.#pid);
    if (threads.length > 0) {
      this.#threads = new Map(threads.map((thread) => [thread.tid, thread]));
      this.#at = performance.now();
      return this.#threads;
    }
    return new Map();
  }

  /** The last reading with threads, and its time in milliseconds. */
  get last(): { threads: Threads; at: number } {
    return { threads: this.#threads, at: this.#at };
  }
}

/** CPU time of the threads of a process over one or more periods. */
export class Usage {
  readonly #threads = new Map<number, { name: string; cpu: number; delayed: number }>();
  seconds = 0;

  /** Runs the work and counts the threads' CPU time meanwhile. */
  async during<T>(watch: ThreadWatch, work: () => Promise<T>): Promise<T> {
    watch.read();
    const before = watch.last;
    try {
      return await work();
    } finally {
      watch.read();
      const after = watch.last;
      this.seconds += (after.at - before.at) / 1000;
      for (const [tid, { name, cpu, delayed }] of after.threads) {
        // A new thread starts at zero.
        const first = before.threads.get(tid);
        const sum = this.#threads.get(tid);
        this.#threads.set(tid, {
          name,
          cpu: (sum?.cpu ?? 0) + cpu - (first?.cpu ?? 0),
          delayed: (sum?.delayed ?? 0) + delayed - (first?.delayed ?? 0),
        });
      }
    }
  }

  /** CPU time of all threads together, in percent of one core. */
  get busy(): number {
    return this.threads().reduce((sum, thread) => sum + thread.busy, 0);
  }

  /** The threads, the busiest first. */
  threads(): ProfileThread[] {
    const percent = (seconds: number) => (this.seconds > 0 ? (seconds / this.seconds) * 100 : 0);
    return [...this.#threads]
      .map(([tid, { name, cpu, delayed }]) => ({ tid, name, busy: percent(cpu), delayed: percent(delayed) }))
      .toSorted((a, b) => b.busy - a.busy || a.tid - b.tid);
  }
}
