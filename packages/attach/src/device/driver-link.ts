import { closeSync } from "node:fs";
import { addressOf, allocate, libc } from "../vhost/native/libc.ts";
import { socketPair } from "../vhost/native/socket.ts";

/** A new connection between the NBD driver and this process. */
export class DriverLink {
  /** The driver's end, while it is handed over. */
  readonly theirs: number;
  readonly #ours: number;

  constructor() {
    [this.#ours, this.theirs] = socketPair();
  }

  /**
   * Our end, after the driver got its own. Undefined if the driver has not taken it because another connection works.
   */
  accepted(): number | undefined {
    closeSync(this.theirs);
    // The other end stays open as long as any process holds it.
    const isClosed = libc().recv(this.#ours, addressOf(allocate(1)), 1, peek | dontWait) === 0;
    if (!isClosed) return this.#ours;
    closeSync(this.#ours);
    return undefined;
  }

  /** After a failure. */
  discard(): void {
    closeSync(this.theirs);
    closeSync(this.#ours);
  }
}

const peek = 2;
const dontWait = 0x40;
