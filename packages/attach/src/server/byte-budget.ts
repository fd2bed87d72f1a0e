/**
 * Bytes of requests that all clients of this process may have in flight. A request takes all the memory that it may
 * need before it begins. A client may use up to a fraction of the free bytes, so that many busy clients share the
 * budget and one more always finds room: no client waits for others while anything is free.
 */
export class ByteBudget {
  readonly limit: number;
  #used = 0;
  /** Clients that have nothing in flight and no room to begin. */
  readonly #waiting = new Set<() => void>();

  /** @param limit bytes; a request that begins within the limit may exceed it */
  constructor(limit: number = defaultBudget) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** Whether a client waits for bytes that others use. */
  get isShort(): boolean {
    return this.#waiting.size > 0;
  }

  /** Whether a client that uses `own` bytes may begin another request. */
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

  /**
   * Calls back once when bytes are free again: for a client without requests in flight, whose completion would call it.
   */
  whenFree(callback: () => void): void {
    this.#waiting.add(callback);
  }

  /** For a client that no longer waits. */
  forget(callback: () => void): void {
    this.#waiting.delete(callback);
  }
}

export const defaultBudget = 512 << 20;
/** A client may use at most one part in this many of the free bytes. */
const part = 4;
