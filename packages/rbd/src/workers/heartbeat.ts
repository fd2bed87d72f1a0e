/** Detects a process or a thread that hangs without ending: it no longer answers the regular questions. */
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
  /** Sends the question; the answer comes by `answered`. */
  readonly ask: () => void;
  /** Called once, when nothing was answered for `seconds`: counted in questions, so that a host that sleeps is no hang. */
  readonly hung: () => void;
  readonly seconds: number;
}

const questions = 5;
