/** Detects a hung process or thread: it no longer answers regular pings. */
export class Heartbeat implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #unanswered = 0;

  constructor({ ask, hung, seconds }: HeartbeatOptions) {
    this.#timer = setInterval(
      () => {
        if (this.#unanswered++ >= questions) {
          clearInterval(this.#timer);
          hung();
        } else ask();
      },
      (seconds * 1000) / questions,
    ).unref();
  }

  answered(): void {
    this.#unanswered = 0;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

export interface HeartbeatOptions {
  /** Sends a ping; the answer calls `answered`. */
  readonly ask: () => void;
  /**
   * Called once after `seconds` without an answer, counted in pings, so that a suspended host does not count as a hang.
   */
  readonly hung: () => void;
  readonly seconds: number;
}

const questions = 5;
