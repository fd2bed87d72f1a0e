import type { Moment, Outcome } from "./victim.ts";

/** The duration of an uninterrupted operation, as measured so far. */
export class Pace {
  readonly #measured: number;
  readonly #times: number[] = [];
  readonly #writes: number[] = [];

  /** @param measured how often the operation runs to its end before the first kill */
  constructor(measured: number) {
    this.#measured = measured;
  }

  add({ took, writes }: Extract<Outcome, { killed: false }>): void {
    this.#times.push(took);
    this.#writes.push(writes);
  }

  /** Milliseconds, or writes to sockets; 0 if not measured yet. */
  usual(by: Moment["by"]): number {
    const values = by === "time" ? this.#times : this.#writes;
    // Only recent runs count: the machine may be busier than before.
    const latest = values.slice(-remembered).toSorted((a, b) => a - b);
    return latest[latest.length >> 1] ?? 0;
  }

  /**
   * @param fraction of the whole run, from 0 to 1
   * @param tries how often the operation ended before the moment; each further moment is a little earlier
   * @returns undefined until enough runs have been measured
   */
  moment(by: Moment["by"], fraction: number, tries: number): Moment | undefined {
    if (this.#times.length < this.#measured) return undefined;
    const at = fraction * this.usual(by) * 0.95 ** tries;
    return { by, at: by === "time" ? at : 1 + Math.floor(at) };
  }
}

const remembered = 7;
