import { errno } from "@siphon/wire";
import { errnoOf, RbdError } from "../errors.ts";

/** Waits to hear whether its source is still there. */
export interface PresenceWaiter {
  /** @param result 0, or a negative errno; `-errno.ESTALE` where the image must be looked at anew */
  confirmed(result: number, error: Error | undefined): void;
}

/**
 * Whether a snapshot that is read is still there. An OSD answers "no object" for what the snapshot does not have, and as well for
 * what was removed along with the snapshot, which shows nothing any more. Only the header tells these apart: a snapshot goes from
 * its image's header before the first of its objects goes, so one that the header names had all of its objects until then.
 *
 * One question answers all who asked before it was sent: under load it costs one small read of the header a round trip.
 */
export class Presence {
  readonly #ask: () => Promise<void>;
  #waiting: PresenceWaiter[] = [];
  #asking = false;

  /** @param ask of the header; rejects if what is read is not there any more, or not as it is known */
  constructor(ask: () => Promise<void>) {
    this.#ask = ask;
  }

  confirm(waiter: PresenceWaiter): void {
    this.#waiting.push(waiter);
    if (this.#asking) return;
    this.#asking = true;
    // Those that were answered by the same packet ask together.
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

/** The known state of an image or of its parents is out of date: it is read again, and the request is repeated. */
export function staleError(what: string): RbdError {
  return new RbdError("SIPHON_RBD_BUSY", `${what} changed since it was opened`, {
    ...{ errno: -errno.ESTALE, retryable: true },
  });
}

export function isStale(error: unknown): boolean {
  return error instanceof RbdError && error.errno === -errno.ESTALE;
}
