/** The whole terminal, until it is disposed of: what was there before is there again then. */
export class LiveScreen implements Disposable {
  readonly #onKey: (key: string) => void;
  readonly #take = (key: Buffer) => this.#onKey(key.toString("latin1"));

  /** @param onKey gets each key as the terminal sends it, Ctrl-C (`\x03`) too; only where keys can be read */
  constructor(onKey: (key: string) => void) {
    this.#onKey = onKey;
    process.stdout.write("\x1b[?1049h\x1b[?25l");
    if (!process.stdin.isTTY) return;
    process.stdin.setRawMode(true).on("data", this.#take);
  }

  /** As many lines as there is room for, each cut off at the right. */
  show(lines: readonly string[]): void {
    const { rows, columns } = process.stdout;
    // Terminals that do not know their size say 0.
    const shown = lines.slice(0, rows || 24).map((line) => line.slice(0, columns || 80));
    process.stdout.write(`\x1b[H${shown.map((line) => `${line}\x1b[K`).join("\r\n")}\x1b[J`);
  }

  [Symbol.dispose](): void {
    process.stdout.write("\x1b[?25h\x1b[?1049l");
    if (!process.stdin.isTTY) return;
    process.stdin.off("data", this.#take).setRawMode(false).pause();
  }
}
