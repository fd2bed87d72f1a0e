export interface PatienceOptions {
  /** What changes while the work goes on: a counter, a size, a state in words. */
  progress: () => number | string | undefined;
  /** Milliseconds without progress after which waiting is over. */
  quietMs: number;
  /** Milliseconds after which it is over even with progress: something goes round in circles. */
  atMostMs?: number;
  /** The clock, in milliseconds. */
  now?: () => number;
}

/**
 * How long to wait for something whose speed depends on the machine: as long as it makes progress. Ask `isOver` again and again, more
 * often than every `quietMs`.
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

  /** Why waiting is over, as the end of a sentence; undefined while it is not. */
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
