import { errnoOf } from "../errors.ts";

/** Brings what a client writes to an image into a consistent state while somebody takes a snapshot. */
export interface QuiesceWatcher {
  /** Settles once nothing is written any more. If it fails, a snapshot that requires it is not taken. */
  quiesce(): void | Promise<void>;
  /** Called once the snapshot is taken or given up, or whoever takes it is not heard of any more. */
  unquiesce(): void | Promise<void>;
}

/** The quiesce watchers of an open image, and the requests to be quiet (prepare_quiesce_request in src/librbd/ImageWatcher.cc). */
export class QuiesceWatchers {
  readonly #watchers = new Set<QuiesceWatcher>();
  /** Those that are quiet now. */
  #quiet: QuiesceWatcher[] = [];
  /** Requests to be quiet, by their keys, each with a timer that ends it when it is not repeated. */
  readonly #wanted = new Map<string, NodeJS.Timeout>();
  /** One at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  add(watcher: QuiesceWatcher): Disposable {
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => this.#watchers.delete(watcher) };
  }

  /**
   * Somebody wants the image quiet, or asks again whether it is.
   *
   * @returns 0, or the errno of a watcher that cannot quiesce
   */
  async quiesce(key: string): Promise<number> {
    if (this.#watchers.size === 0) return 0;
    const timer = this.#wanted.get(key) ?? setTimeout(() => void this.unquiesce(key), patience).unref();
    this.#wanted.set(key, timer.refresh());
    return this.#inTurn(async () => {
      if (this.#quiet.length > 0) return 0;
      const watchers = [...this.#watchers];
      const answers = await Promise.allSettled(watchers.map(async (watcher) => watcher.quiesce()));
      this.#quiet = watchers.filter((_, i) => answers[i]!.status === "fulfilled");
      const refusal = answers.find(({ status }) => status === "rejected");
      if (refusal?.status !== "rejected") return 0;
      this.#forget(key);
      // For other requests as well: each asks all watchers.
      await this.#wake();
      return errnoOf(refusal.reason);
    });
  }

  /** The request has ended. */
  async unquiesce(key: string): Promise<void> {
    if (!this.#forget(key)) return;
    await this.#inTurn(async () => {
      if (this.#wanted.size === 0) await this.#wake();
    });
  }

  /** The image is closed: nobody is kept quiet. */
  async close(): Promise<void> {
    await Promise.all([...this.#wanted.keys()].map((key) => this.unquiesce(key)));
  }

  #forget(key: string): boolean {
    clearTimeout(this.#wanted.get(key));
    return this.#wanted.delete(key);
  }

  async #wake(): Promise<void> {
    const watchers = this.#quiet.filter((watcher) => this.#watchers.has(watcher));
    this.#quiet = [];
    await Promise.allSettled(watchers.map(async (watcher) => watcher.unquiesce()));
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(action);
    this.#turn = done.catch(() => {});
    return done;
  }
}

/** Milliseconds for which an image stays quiet without news of whoever wanted it: twice a notification's time, as with librbd. */
const patience = 10_000;
