import type { Moment, Outcome } from "./victim.ts";

/** How long an operation takes when nobody interrupts it, as far as is known. */
export class Pace {
  readonly #measured: number;
  readonly #times: number[] = [];
  readonly #writes: number[] = [];

  /** @param measured how often it runs to its end before the first kill */
  constructor(measured: number) {
    this.#measured = measured;
  }

  add({ took, writes }: Extract<Outcome, { killed: false }>): void {
    this.#times.push(took);
    this.#writes.push(writes);
  }

  /** Milliseconds, or writes to sockets; 0 as long as it is not known. */
  usual(by: Moment["by"]): number {
    const values = by === "time" ? this.#times : this.#writes;
    // The machine may be busier than it was.
    const latest = values.slice(-remembered).toSorted((a, b) => a - b);
    return latest[latest.length >> 1] ?? 0;
  }

  /**
   * @param fraction of the whole, from 0 to 1
   * @param tries how often it ended before that moment: each time the next one is a bit earlier
   * @returns undefined as long as nothing is known of the whole
   */
  moment(by: Moment["by"], fraction: number, tries: number): Moment | undefined {
    if (this.#times.length < this.#measured) return undefined;
    const at = fraction * this.usual(by) * 0.95 ** tries;
    return { by, at: by === "time" ? at : 1 + Math.floor(at) };
  }
}

const remembered = 7;
