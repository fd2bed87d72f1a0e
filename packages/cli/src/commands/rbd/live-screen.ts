/** The terminal's alternate screen. Disposing of it restores the previous content. */
export class LiveScreen implements Disposable {
  readonly #onKey: (key: string) => void;
  readonly #take = (key: Buffer) => this.#onKey(key.toString("latin1"));

  /** @param onKey receives each key as the terminal sends it, including Ctrl-C (`\x03`), if standard input is a terminal */
  constructor(onKey: (key: string) => void) {
    this.#onKey = onKey;
    process.stdout.write("\x1b[?1049h\x1b[?25l");
    if (!process.stdin.isTTY) return;
    process.stdin.setRawMode(true).on("data", this.#take);
  }

  /** Shows as many lines as fit, cut off at the right edge. */
  show(lines: readonly string[]): void {
    const { rows, columns } = process.stdout;
    // Terminals that do not know their size report 0.
    const shown = lines.slice(0, rows || 24).map((line) => line.slice(0, columns || 80));
    process.stdout.write(`\x1b[H${shown.map((line) => `${line}\x1b[K`).join("\r\n")}\x1b[J`);
  }

  [Symbol.dispose](): void {
    process.stdout.write("\x1b[?25h\x1b[?1049l");
    if (!process.stdin.isTTY) return;
    process.stdin.off("data", this.#take).setRawMode(false).pause();
  }
}
