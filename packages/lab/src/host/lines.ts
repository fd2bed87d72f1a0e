import { StringDecoder } from "node:string_decoder";

/** Splits a stream of bytes into lines without newlines. */
export class Lines {
  readonly #decoder = new StringDecoder("utf8");
  readonly #online: (line: string) => void;
  // Kept in parts: joining at each chunk would be quadratic for a long line.
  #parts: string[] = [];

  constructor(online: (line: string) => void) {
    this.#online = online;
  }

  push(bytes: Buffer): void {
    const [rest, ...following] = this.#decoder.write(bytes).split("\n");
    this.#parts.push(rest);
    for (const next of following) {
      const line = this.#parts.join("");
      this.#parts = [next];
      this.#online(line.endsWith("\r") ? line.slice(0, -1) : line);
    }
  }
}
