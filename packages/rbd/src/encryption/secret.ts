import { inspect } from "node:util";

/** A key or passphrase in memory: shown nowhere, and wiped when it is done with. */
export class Secret implements Disposable {
  readonly #bytes: Buffer;

  /** Takes the bytes over: they are wiped with the secret. */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Never to be kept beyond the secret, copied or logged. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }

  [Symbol.dispose](): void {
    this.#bytes.fill(0);
  }
}
