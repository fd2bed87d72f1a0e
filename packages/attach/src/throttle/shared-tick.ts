/**
 * A timer that calls all its listeners in one turn, so that a process with hundreds of idle disks wakes up once for
 * all.
 */
export class SharedTick {
  readonly #milliseconds: number;
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  /** Calls the listener until the result is disposed of. */
  add(listener: () => void): Disposable {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => {
      for (const each of this.#listeners) each();
    }, this.#milliseconds).unref();
    return { [Symbol.dispose]: () => this.#remove(listener) };
  }

  #remove(listener: () => void): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
