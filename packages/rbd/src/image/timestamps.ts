import type { ClassCall } from "../cls/class-call.ts";
import { setAccessed, setModified } from "../cls/image.ts";

/** Time (`performance.now()`) from which the next read or write updates the header. I/O only compares numbers. */
export interface DueTimes {
  readonly due: Record<"read" | "write", number>;
  onDue: (what: "read" | "write") => void;
}

export interface TimestampHost {
  /** The header's values. */
  readonly header: { readonly accessed: Date; readonly modified: Date };
  /** Milliseconds between two updates; 0 for none. */
  readonly intervals: Readonly<Record<"read" | "write", number>>;
  /** Changes the header, whoever owns the lock. */
  change(call: ClassCall): Promise<void>;
}

/**
 * The times of the last read and write in an image's header: updated by the first read, and the first write, after
 * rbd_atime_update_interval and rbd_mtime_update_interval (src/librbd/io/ImageRequest.cc). A failed update, for example
 * by a user without write permission, is retried after a minute.
 */
export class Timestamps {
  readonly #host: TimestampHost;
  readonly #io: DueTimes;
  readonly #underWay = new Set<Promise<void>>();

  constructor(io: DueTimes, host: TimestampHost) {
    this.#io = io;
    this.#host = host;
    io.due.read = 0;
    io.due.write = 0;
    io.onDue = (what) => this.#begin(what);
  }

  /** Waits for an update in flight; starts no more. */
  async close(): Promise<void> {
    this.#io.onDue = () => {};
    this.#io.due.read = Number.POSITIVE_INFINITY;
    this.#io.due.write = Number.POSITIVE_INFINITY;
    if (this.#underWay.size === 0) return;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, patience);
    await Promise.race([Promise.all(this.#underWay), late]);
    clearTimeout(timer);
  }

  #begin(what: "read" | "write"): void {
    const { due } = this.#io;
    due[what] = Number.POSITIVE_INFINITY;
    const update: Promise<void> = this.#update(what)
      .catch(() => retryDelay)
      .then((wait) => {
        this.#underWay.delete(update);
        due[what] = performance.now() + wait;
      });
    this.#underWay.add(update);
  }

  /** @returns milliseconds to the next one */
  async #update(what: "read" | "write"): Promise<number> {
    const interval = this.#host.intervals[what];
    if (interval === 0) return Number.POSITIVE_INFINITY;
    const { accessed, modified } = this.#host.header;
    const last = (what === "read" ? accessed : modified).getTime();
    const age = Date.now() - last;
    // The OSD's clock may be ahead of ours.
    if (!this.#told.has(what) && age < interval) return Math.min(interval, interval - age);
    await this.#host.change(what === "read" ? setAccessed : setModified);
    this.#told.add(what);
    return interval;
  }

  /** Updates that the cached header need not show. */
  readonly #told = new Set<"read" | "write">();
}

/** Milliseconds that closing waits for the cluster. */
const patience = 1_000;
const retryDelay = 60_000;
