import { LabError } from "../errors.ts";

export interface PatienceOptions {
  /** A value that changes with progress: a counter, a size, a state. */
  progress: () => number | string | undefined;
  /** Milliseconds without progress after which waiting ends. */
  quietMs: number;
  /** Milliseconds after which it ends even with progress, which may be a loop. */
  atMostMs?: number;
  /** The clock, in milliseconds. */
  now?: () => number;
}

/**
 * Limits a wait for work whose speed depends on the machine: as long as it makes progress. Poll `isOver` more often
 * than every `quietMs`.
 */
export class Patience {
  readonly #options: Required<PatienceOptions>;
  readonly #began: number;
  #seen: number | string | undefined;
  #since: number;

  constructor({ atMostMs = 1_800_000, now = () => performance.now(), ...options }: PatienceOptions) {
    this.#options = { ...options, atMostMs, now };
    this.#began = this.#since = now();
    this.#seen = options.progress();
  }

  /** Why waiting has ended, as the end of a sentence; undefined before. */
  get isOver(): string | undefined {
    const { progress, quietMs, atMostMs, now } = this.#options;
    const [at, seen] = [now(), progress()];
    if (seen !== this.#seen) {
      this.#seen = seen;
      this.#since = at;
    }
    if (at - this.#since > quietMs) return `after ${quietMs / 1000} s without progress`;
    return at - this.#began > atMostMs ? `after ${atMostMs / 1000} s` : undefined;
  }
}

/** Aborts with SIPHON_TIMEOUT when waiting has ended: for work that takes a signal and does not poll. */
export class PatientSignal implements Disposable {
  readonly signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  #over: string | undefined;

  /** @param what the event that did not happen, as the start of the message */
  constructor(patience: Patience, what: string) {
    const controller = new AbortController();
    this.signal = controller.signal;
    this.#timer = setInterval(() => {
      this.#over = patience.isOver;
      if (this.#over === undefined) return;
      clearInterval(this.#timer);
      controller.abort(new LabError("SIPHON_TIMEOUT", `${what} ${this.#over}`, { retryable: true }));
    }, 1_000);
  }

  /** Why waiting has ended, as the end of a sentence; undefined before. */
  get over(): string | undefined {
    return this.#over;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
