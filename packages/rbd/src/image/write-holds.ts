import { notice } from "./notices.ts";

/**
 * Reasons why writes wait: a changed header must be read; the watch was lost, and the lock must name the new one;
 * another client keeps the lock.
 */
export type WriteHold = "header" | "watch" | "lock";

const events = {
  header: { failing: "stale", over: "current" },
  watch: { failing: "unwatched", over: "watched" },
  lock: { failing: "locked", over: "unlocked" },
} as const;

/** The reasons why an image's writes wait for long, and their notices. */
export class WriteHolds {
  readonly #image: { readonly header: { readonly name: string } };
  readonly #holds = new Set<WriteHold>();
  /** Reasons that were published. */
  readonly #told = new Set<WriteHold>();

  constructor(image: { readonly header: { readonly name: string } }) {
    this.#image = image;
  }

  get reason(): WriteHold | undefined {
    return this.#holds.values().next().value;
  }

  begin(hold: WriteHold): void {
    this.#holds.add(hold);
  }

  /** The reason persists, and siphon retries. */
  failing(hold: WriteHold, error: Error): void {
    this.#holds.add(hold);
    if (this.#told.has(hold)) return;
    this.#told.add(hold);
    notice({ event: events[hold].failing, image: this.#image.header.name, error });
  }

  end(hold: WriteHold): void {
    this.#holds.delete(hold);
    if (this.#told.delete(hold)) notice({ event: events[hold].over, image: this.#image.header.name });
  }
}
