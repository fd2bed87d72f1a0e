import { errno } from "@siphon/wire";
import { errnoOf, RbdError } from "../errors.ts";

/** Waits for the check whether its source still exists. */
export interface PresenceWaiter {
  /** @param result 0, or a negative errno; `-errno.ESTALE` if the image must be read again */
  confirmed(result: number, error: Error | undefined): void;
}

/**
 * Checks whether an open snapshot still exists. An OSD answers "no object" both for an object that the snapshot never
 * had, and for one removed together with the snapshot. Only the header distinguishes them: a snapshot is removed from
 * its image's header before its first object, so a snapshot in the header still has all of its objects.
 *
 * One check serves all callers that asked before it was sent: under load it costs one small read of the header per
 * round trip.
 */
export class Presence {
  readonly #ask: () => Promise<void>;
  #waiting: PresenceWaiter[] = [];
  #asking = false;

  /** @param ask checks the header; rejects if the snapshot no longer exists, or has changed */
  constructor(ask: () => Promise<void>) {
    this.#ask = ask;
  }

  confirm(waiter: PresenceWaiter): void {
    this.#waiting.push(waiter);
    if (this.#asking) return;
    this.#asking = true;
    // Callers of the same event-loop turn share a check.
    queueMicrotask(() => void this.#run());
  }

  /** @throws what `ask` rejects with */
  async check(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.confirm({ confirmed: (result, error) => (result < 0 ? reject(error) : resolve()) });
    await promise;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      const error = await this.#ask().then(
        () => undefined,
        (reason: Error) => reason,
      );
      for (const waiter of waiting) waiter.confirmed(error === undefined ? 0 : errnoOf(error), error);
    }
    this.#asking = false;
  }
}

/** The known state of an image or its parents is out of date; it is read again, and the request is repeated. */
export function staleError(what: string): RbdError {
  return new RbdError("SIPHON_RBD_BUSY", `${what} changed since it was opened`, {
    ...{ errno: -errno.ESTALE, retryable: true },
  });
}

export function isStale(error: unknown): boolean {
  return error instanceof RbdError && error.errno === -errno.ESTALE;
}
