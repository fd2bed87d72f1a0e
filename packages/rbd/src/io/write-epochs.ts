/** The writes of one period, and the callbacks that wait for them. */
export interface WriteEpoch {
  writes: number;
  /** Called when these writes and all before them are done. */
  readonly waiting: (() => void)[];
}

/** Tracks writes in flight, so that callers can wait for those begun before. */
export class WriteEpochs {
  readonly #epochs: WriteEpoch[] = [{ writes: 0, waiting: [] }];

  begin(): WriteEpoch {
    const epoch = this.#epochs.at(-1)!;
    epoch.writes++;
    return epoch;
  }

  end(epoch: WriteEpoch): void {
    epoch.writes--;
    if (epoch.writes === 0) this.#advance();
  }

  /** Calls `done` when the writes begun before are done: at once, if there are none. */
  whenDone(done: () => void): void {
    const epoch = this.#epochs.at(-1)!;
    if (this.#epochs.length === 1 && epoch.writes === 0) {
      done();
      return;
    }
    epoch.waiting.push(done);
    if (epoch.waiting.length === 1) this.#epochs.push({ writes: 0, waiting: [] });
  }

  #advance(): void {
    while (this.#epochs.length > 1 && this.#epochs[0]!.writes === 0) {
      for (const done of this.#epochs.shift()!.waiting) done();
    }
  }
}
