/** Log for lines that a peer can cause at will: writes the first line of each minute, and the number of lines. */
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
