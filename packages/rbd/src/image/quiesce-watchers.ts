import { errnoOf } from "../errors.ts";

/** Brings a client's data on an image into a consistent state while a snapshot is taken. */
export interface QuiesceWatcher {
  /** Settles when writing has stopped. If it fails, a snapshot that requires quiescing is not taken. */
  quiesce(): void | Promise<void>;
  /** Called when the snapshot is taken or abandoned, or its client is no longer heard of. */
  unquiesce(): void | Promise<void>;
}

/** A watcher as long as somebody waits for it. */
interface Entry {
  readonly watcher: QuiesceWatcher;
  readonly left: PromiseWithResolvers<"left">;
}

/** The quiesce watchers of an open image, and the requests to be quiet (prepare_quiesce_request in src/librbd/ImageWatcher.cc). */
export class QuiesceWatchers {
  readonly #entries = new Set<Entry>();
  /** Watchers that are quiesced. */
  #quiet: Entry[] = [];
  /** Quiesce requests by key, each with a timer that ends it unless it is repeated. */
  readonly #wanted = new Map<string, NodeJS.Timeout>();
  /** One at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  add(watcher: QuiesceWatcher): Disposable {
    const entry: Entry = { watcher, left: Promise.withResolvers() };
    this.#entries.add(entry);
    return {
      [Symbol.dispose]: () => {
        this.#entries.delete(entry);
        entry.left.resolve("left");
      },
    };
  }

  /**
   * A client requests to quiesce, or repeats its request.
   *
   * @returns 0, or the errno of a watcher that cannot quiesce
   */
  async quiesce(key: string): Promise<number> {
    if (this.#entries.size === 0) return 0;
    const timer = this.#wanted.get(key) ?? setTimeout(() => void this.unquiesce(key), patience).unref();
    this.#wanted.set(key, timer.refresh());
    return this.#inTurn(async () => {
      if (this.#quiet.length > 0) return 0;
      const entries = [...this.#entries];
      const answers = await Promise.allSettled(entries.map(quiesced));
      this.#quiet = entries.filter((_, i) => answers[i]!.status === "fulfilled" && answers[i].value);
      const refusal = answers.find(({ status }) => status === "rejected");
      if (refusal?.status !== "rejected") return 0;
      this.#forget(key);
      // Also for other requests: each asks all watchers.
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

  /**
   * The image is closed: ends all requests. A watcher that does not answer is not waited for any longer after a while.
   */
  async close(): Promise<void> {
    const limit = setTimeout(() => {
      for (const { left } of this.#entries) left.resolve("left");
    }, patience);
    await Promise.all([...this.#wanted.keys()].map((key) => this.unquiesce(key)));
    clearTimeout(limit);
  }

  #forget(key: string): boolean {
    clearTimeout(this.#wanted.get(key));
    return this.#wanted.delete(key);
  }

  async #wake(): Promise<void> {
    const quiet = this.#quiet.filter((entry) => this.#entries.has(entry));
    this.#quiet = [];
    await Promise.allSettled(quiet.map(({ watcher, left }) => Promise.race([goesOn(watcher), left.promise])));
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(action);
    this.#turn = done.catch(() => {});
    return done;
  }
}

/**
 * Whether a watcher is quiet; not if nobody waits for it any longer. If it is quiet later, it goes on at once.
 *
 * @throws what the watcher throws
 */
async function quiesced({ watcher, left }: Entry): Promise<boolean> {
  const quiet = (async () => watcher.quiesce())();
  const answer = await Promise.race([quiet, left.promise]);
  if (answer !== "left") return true;
  quiet.then(() => goesOn(watcher)).catch(() => {});
  return false;
}

async function goesOn(watcher: QuiesceWatcher): Promise<void> {
  await watcher.unquiesce();
}

/**
 * Milliseconds for which an image stays quiesced without news from the requesting client: twice a notification's
 * timeout, as in librbd.
 */
const patience = 10_000;
