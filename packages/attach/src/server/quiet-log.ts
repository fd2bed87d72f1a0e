/** Lines that a peer can cause as often as it likes: the first of them each minute, and how many there were. */
export class QuietLog implements Disposable {
  readonly #log: (line: string) => void;
  #dropped = 0;
  #last = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  write(line: string): void {
    if (this.#timer !== undefined) {
      this.#dropped++;
      this.#last = line;
      return;
    }
    this.#log(line);
    this.#timer = setTimeout(() => this.#over(), minute).unref();
  }

  [Symbol.dispose](): void {
    this.#over();
  }

  #over(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#dropped > 0) this.#log(`${this.#last} (and ${this.#dropped - 1} more like it)`);
    this.#dropped = 0;
  }
}

const minute = 60_000;
