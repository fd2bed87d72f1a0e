import { throwUnowned } from "@siphon/rados/engine";

/** Listeners to changes of an open image. */
export class Listeners {
  readonly #resized = new Set<(size: number) => void>();
  readonly #changed = new Set<() => void>();

  /** Calls back with each new size, in bytes. */
  onResize(listener: (size: number) => void): Disposable {
    this.#resized.add(listener);
    return { [Symbol.dispose]: () => this.#resized.delete(listener) };
  }

  /** Calls back whenever the header was read again. */
  onChange(listener: () => void): Disposable {
    this.#changed.add(listener);
    return { [Symbol.dispose]: () => this.#changed.delete(listener) };
  }

  resized(before: number, now: number): void {
    if (before === now) return;
    for (const listener of [...this.#resized]) told(() => listener(now));
  }

  changed(): void {
    for (const listener of [...this.#changed]) told(listener);
  }
}

/** An error of a listener cannot be handled here. */
function told(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    throwUnowned(error);
  }
}
