/** Finds a process, or a thread, that hangs without ending: it is asked again and again, and does not answer. */
export class Heartbeat implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #unanswered = 0;

  /**
   * @param ask sends the question; the answer comes by `answered`
   * @param hung called once, when nothing was answered for `seconds`: counted in questions, so that a host that sleeps is no hang
   */
  constructor({ ask, hung, seconds }: { ask: () => void; hung: () => void; seconds: number }) {
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

const questions = 5;
