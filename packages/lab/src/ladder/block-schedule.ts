import { fewestRepeats } from "../results/compare.ts";
import { bluntRungs } from "../results/sharpness.ts";
import type { PlannedClimb } from "../rungs/plan.ts";
import type { LadderOptions } from "./options.ts";
import type { LadderRecord } from "./record.ts";

/** The options that say how many blocks there are. */
type HowMany = Pick<LadderOptions, "repeat" | "inTime" | "until" | "time" | "bigger">;

/** Seconds of the bigger test, and of preparing the run and writing its report. */
const BIGGER_SECONDS = 50;
const AROUND_SECONDS = 15;

/**
 * Chooses the rungs of the next block: all, a number of times; or those whose verdicts are not yet sharp enough. A number
 * that was not asked for is limited by the time, which depends on the machine's speed and not on what is found: the
 * intervals stay valid.
 */
export class BlockSchedule {
  readonly #options: HowMany;
  readonly #now: () => number;
  readonly #began: number;
  #begun = 0;
  /** Start time of the current block. */
  #latest = 0;
  /**
   * The ratios that were not sharp at the last check. An interval may be narrow once by chance, so a ratio counts as
   * sharp after two checks.
   */
  #blunt: ReadonlySet<string> | undefined;

  /** @param now milliseconds */
  constructor(options: HowMany, now = () => performance.now()) {
    this.#options = options;
    this.#now = now;
    this.#began = now();
  }

  /** The current block, from 0. */
  get block(): number {
    return this.#begun - 1;
  }

  /** The rungs of the next block; empty after the last. Skips rungs that failed from the start, and sharp ones. */
  next(rungs: readonly PlannedClimb[], record: Pick<LadderRecord, "isHopeless" | "results">): PlannedClimb[] {
    const { repeat, inTime, until, time, bigger } = this.#options;
    if (until === undefined) {
      const rest = time - AROUND_SECONDS - (bigger ? BIGGER_SECONDS : 0);
      if (this.#begun >= repeat || (inTime && !this.#hasTime(rest))) return [];
    } else if (!this.#hasTime(time)) return [];
    const hopeful = rungs.filter(({ rung }) => !record.isHopeless(rung.name));
    if (until === undefined || this.#begun < fewestRepeats) return this.#begin(hopeful);
    const blunt = bluntRungs(record.results(false), until);
    const left = hopeful.filter(({ rung }) => blunt.has(rung.name) || (this.#blunt?.has(rung.name) ?? true));
    this.#blunt = blunt;
    return this.#begin(left);
  }

  get inWords(): string {
    const { repeat, until } = this.#options;
    return `block ${this.#begun}${until === undefined ? ` of ${repeat}` : ""}`;
  }

  /** Known after the first block. */
  secondsLeft(): number | undefined {
    const { repeat, until, time } = this.#options;
    if (this.#begun < 2) return undefined;
    const left = until === undefined ? repeat * this.#blockSeconds() : time;
    return Math.max(0, Math.round(left - this.#elapsed()));
  }

  /** The same in words. */
  timeLeft(): string {
    const seconds = this.secondsLeft();
    if (seconds === undefined) return "";
    const most = this.#options.until === undefined ? "about" : "at most";
    return `, ${most} ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} left`;
  }

  #begin(rungs: PlannedClimb[]): PlannedClimb[] {
    if (rungs.length > 0) {
      this.#begun++;
      this.#latest = this.#now();
    }
    return rungs;
  }

  /** Mean duration of the completed blocks. */
  #blockSeconds(): number {
    return (this.#latest - this.#began) / 1000 / (this.#begun - 1);
  }

  #elapsed(): number {
    return (this.#now() - this.#began) / 1000;
  }

  /** The minimum number of blocks for verdicts is always measured; a further one only if it ends in time. */
  #hasTime(time: number): boolean {
    if (this.#begun < fewestRepeats) return true;
    return this.#elapsed() * (1 + 1 / this.#begun) <= time;
  }
}
