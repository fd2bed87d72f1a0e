/**
 * Bytes of requests that all clients of this process may have under way at once: what a request may come to hold is taken before it
 * begins. A client may use up to a part of what is free, so that many that flood share it and one more always finds some: nobody
 * waits for others as long as anything is left.
 */
export class ByteBudget {
  readonly limit: number;
  #used = 0;
  /** Clients that have nothing under way and may not begin anything. */
  readonly #waiting = new Set<() => void>();

  /** @param limit bytes; a request that begins within it may go beyond */
  constructor(limit: number = defaultBudget) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** A client waits for bytes that others use. */
  get isShort(): boolean {
    return this.#waiting.size > 0;
  }

  /** Whether who uses `own` bytes already may begin a request more. */
  admits(own: number): boolean {
    const free = this.limit - this.#used;
    return free > 0 && own * part <= free;
  }

  take(bytes: number): void {
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
    if (this.#waiting.size === 0 || this.#used >= this.limit) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const each of waiting) each();
  }

  /** Calls back once, when there is something free again: for who has nothing under way whose end it could wait for. */
  whenFree(callback: () => void): void {
    this.#waiting.add(callback);
  }

  /** For who does not wait any more. */
  forget(callback: () => void): void {
    this.#waiting.delete(callback);
  }
}

export const defaultBudget = 512 << 20;
/** A client may use as much as this part of what it leaves free. */
const part = 4;
