import { RadosError } from "../errors.ts";
import { gcmNonceBytes } from "./gcm-stream.ts";

export type NonceCounter = "first32" | "last64";

/** The nonce of the next message. A nonce is never reused: when they run out, it throws. */
export class Nonce {
  readonly bytes: Buffer;
  readonly #first: Buffer;
  readonly #counter: NonceCounter;
  #used = false;
  #spent = false;

  constructor(bytes: Buffer, first: Uint8Array, counter: NonceCounter) {
    this.bytes = bytes;
    this.bytes.set(first);
    this.#first = Buffer.from(first);
    this.#counter = counter;
  }

  /** Makes `bytes` the nonce of the next message. */
  advance(): void {
    if (!this.#used) {
      this.#used = true;
      return;
    }
    if (!this.#spent) {
      const start = this.#counter === "first32" ? 0 : 4;
      const end = this.#counter === "first32" ? 4 : gcmNonceBytes;
      const b = this.bytes;
      for (let at = start; at < end; at++) {
        b[at] = b[at]! + 1;
        if (b[at] !== 0) break;
      }
      this.#spent = b[start] === this.#first[start] && b.equals(this.#first);
    }
    if (this.#spent) {
      throw new RadosError(
        "SIPHON_RADOS_CONNECTION",
        "the connection has sent as many frames as its key allows; a new connection gets a new key",
        { retryable: true },
      );
    }
  }
}
