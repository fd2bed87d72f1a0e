/** `inspect.custom` of node:util, which a browser does not have. */
const inspect = Symbol.for("nodejs.util.inspect.custom");

/** A key or passphrase in memory: logs, errors, JSON and the debugger do not show it, and disposing of it wipes the bytes. */
export class Secret implements Disposable {
  readonly #bytes: Buffer;

  /** Takes ownership of the bytes: they are wiped with the secret. */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  static ofText(text: string): Secret {
    return new Secret(Buffer.from(text));
  }

  /** Do not keep, copy or log them: they are valid until the secret is disposed of. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** The bytes as UTF-8 text. A string cannot be wiped. */
  reveal(): string {
    return this.#bytes.toString();
  }

  toString(): string {
    return "(secret)";
  }

  toJSON(): string {
    return "(secret)";
  }

  [inspect](): string {
    return "(secret)";
  }

  [Symbol.dispose](): void {
    this.#bytes.fill(0);
  }
}
