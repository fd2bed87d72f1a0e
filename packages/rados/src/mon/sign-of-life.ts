import type { RadosError } from "../errors.ts";
import { silent } from "./failure.ts";
import type { MonSession } from "./session.ts";

/** Sends keepalives to the session's monitor, and closes the session without replies. */
export class SignOfLife {
  readonly #interval: number;
  readonly #timeout: number;
  readonly #lost: (session: MonSession, error: RadosError) => void;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param interval milliseconds between keepalives
   * @param timeout milliseconds without an answer after which the session is closed and `lost` called
   */
  constructor(interval: number, timeout: number, lost: (session: MonSession, error: RadosError) => void) {
    this.#interval = interval;
    this.#timeout = timeout;
    this.#lost = lost;
  }

  watch(session: MonSession): void {
    this.stop();
    this.#timer = setInterval(() => this.#look(session), this.#interval);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(session: MonSession): void {
    const quiet = performance.now() - session.lastKeepaliveAck;
    if (quiet <= this.#timeout) {
      session.keepalive();
      return;
    }
    session.close();
    this.#lost(session, silent(session.peer.name, quiet));
  }
}
