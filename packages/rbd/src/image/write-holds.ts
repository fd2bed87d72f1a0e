import { notice } from "./notices.ts";

/**
 * Reasons why writes wait: the header changed and must be read; the watch on it was lost, and the lock must name the new one; another
 * client keeps the lock.
 */
export type WriteHold = "header" | "watch" | "lock";

const events = {
  header: { failing: "stale", over: "current" },
  watch: { failing: "unwatched", over: "watched" },
  lock: { failing: "locked", over: "unlocked" },
} as const;

/** Why an image's writes wait, as far as that is not a matter of course; and what is told of it. */
export class WriteHolds {
  readonly #image: { readonly header: { readonly name: string } };
  readonly #holds = new Set<WriteHold>();
  /** Those that were told to whoever listens for notices. */
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

  /** It could not be ended, and is tried again. */
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
