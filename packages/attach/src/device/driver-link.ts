import { closeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { AttachError } from "../errors.ts";
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

/** A link for a device that is mapped already: waits while descriptors or memory have run out. */
export async function nextLink(): Promise<DriverLink> {
  for (;;) {
    try {
      return new DriverLink();
    } catch (error) {
      if (!(error instanceof AttachError && error.retryable)) throw error;
      await sleep(retryAfter);
    }
  }
}

/** Milliseconds. */
const retryAfter = 100;
const peek = 2;
const dontWait = 0x40;
