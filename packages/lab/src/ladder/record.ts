import { version } from "@siphon/wire";
import type { RunRecord } from "../load/interleaved.ts";
import { type Asked, compareAll } from "../results/compare.ts";
import { curvesOf } from "../results/curves.ts";
import type { BiggerStep, Comparison, Results, Run, RungResult } from "../results/schema.ts";
import { markOutliers, summarize } from "../results/summarize.ts";
import type { PlannedRung } from "../rungs/plan.ts";
import { withoutHome } from "../state/paths.ts";
import { studyFigure } from "../study/rungs.ts";

/** The measurements of one planned rung so far. */
interface Gathered {
  plan: PlannedRung;
  runs: Omit<Run, "outlier">[];
  command: string;
  clientConf: string;
  /** Errors of failed runs, in order. */
  failures: string[];
  profile?: string;
  /** The current block's run so far. */
  underWay?: Omit<Run, "outlier">;
}

type Fixed = Pick<Results, "mode" | "seed" | "workload" | "roots" | "facts" | "accelerator">;

/** Collects the ladder's measurements, and computes the results so far at any time. */
export class LadderRecord implements RunRecord {
  readonly #fixed: Fixed;
  readonly #started = new Date();
  readonly #rungs: Gathered[];
  readonly #notes: string[] = [];
  #bigger: Results["bigger"];

  constructor(fixed: Fixed, rungs: PlannedRung[]) {
    this.#fixed = fixed;
    this.#rungs = rungs.map((plan) => ({ plan, runs: [], command: "", clientConf: "", failures: [] }));
  }

  note(text: string): void {
    this.#notes.push(text);
  }

  /** The command of a rung, the same for each of its runs. */
  describe(rung: string, command: string, clientConf: string): void {
    Object.assign(this.#of(rung), { command, clientConf });
  }

  addProfile(rung: string, file: string): void {
    this.#of(rung).profile = file;
  }

  add(rung: string, run: Omit<Run, "outlier">): void {
    const gathered = this.#of(rung);
    gathered.runs.push(run);
    delete gathered.underWay;
  }

  /** Sets the figures of an unfinished run, which appear only in `resultsSoFar`. */
  goesOn(rung: string, run: Omit<Run, "outlier">): void {
    this.#of(rung).underWay = run;
  }

  fail(rung: string, reason: string): void {
    const gathered = this.#of(rung);
    gathered.failures.push(reason);
    delete gathered.underWay;
  }

  /** A rung that failed in its first repeat is not tried again. */
  isHopeless(rung: string): boolean {
    const { runs, failures } = this.#of(rung);
    return runs.length === 0 && failures.length > 0;
  }

  addBigger(rung: string, step: BiggerStep): void {
    this.#bigger ??= { rung, steps: [] };
    this.#bigger.steps.push(rung === this.#bigger.rung ? step : { rung, ...step });
  }

  /** Rungs that failed, completely or in some repeats. */
  get failures(): { rung: string; reason: string }[] {
    return this.#rungs.flatMap(({ plan, failures }) =>
      failures.length > 0 ? [{ rung: plan.rung.name, reason: failures[0] }] : [],
    );
  }

  /**
   * The results including unfinished runs, whose latency figures are 0 until fio ends. Omits rungs that have not begun.
   */
  resultsSoFar(): Results {
    const runsOf = ({ runs, underWay }: Gathered) => (underWay ? [...runs, underWay] : runs);
    const results = this.#resultsOf(false, runsOf);
    const waits = (rung: Gathered) =>
      rung.plan.status === "planned" && runsOf(rung).length === 0 && rung.failures.length === 0;
    const waiting = new Set(this.#rungs.filter(waits).map(({ plan }) => plan.rung.name));
    return { ...results, rungs: results.rungs.filter(({ name }) => !waiting.has(name)) };
  }

  results(complete: boolean): Results {
    return this.#resultsOf(complete, ({ runs }) => runs);
  }

  #resultsOf(complete: boolean, runsOf: (rung: Gathered) => Gathered["runs"]): Results {
    const { workload } = this.#fixed;
    return withoutHome({
      schema: 1,
      siphon: version,
      started: this.#started.toISOString(),
      finished: new Date().toISOString(),
      complete,
      notes: this.#notes,
      ...this.#fixed,
      workload: {
        ...workload,
        repeats: Math.max(workload.repeats, ...this.#rungs.map((rung) => blocksOf(runsOf(rung)))),
      },
      rungs: this.#rungResults(runsOf),
      ...(this.#bigger && { bigger: this.#bigger }),
    });
  }

  #rungResults(runsOf: (rung: Gathered) => Gathered["runs"]): RungResult[] {
    const marked = new Map(this.#rungs.map((rung) => [rung.plan.rung.name, markOutliers(runsOf(rung))]));
    const asked = this.#rungs.flatMap(({ plan }): (Asked & { name: string })[] => {
      if (plan.status !== "planned" || plan.against === undefined) return [];
      const { against } = plan;
      const { name } = plan.rung;
      return [
        { name, against: { name: against, runs: marked.get(against)! }, rung: { runs: marked.get(name)! } },
      ];
    });
    const found = compareAll(asked);
    const comparisons = new Map(asked.map(({ name }, index) => [name, found[index]]));
    return this.#rungs.map((rung) => {
      const { name } = rung.plan.rung;
      return this.#result(rung, marked.get(name)!, comparisons.get(name));
    });
  }

  #result(
    { plan, command, clientConf, failures, profile }: Gathered,
    runs: Run[],
    comparison: Comparison | undefined,
  ): RungResult {
    const { name, title, why } = plan.rung;
    const base = { name, title, why, study: studyFigure(this.#fixed.mode, name) };
    if (plan.status === "skipped") return { ...base, status: "skipped", reason: plan.reason };
    if (runs.length === 0) {
      return { ...base, status: "failed", reason: failures[0] ?? "its turn did not come" };
    }
    const note = failures.length > 0 ? `${failures.length} more repeats failed: ${failures[0]}` : undefined;
    return {
      ...base,
      status: "measured",
      command,
      clientConf,
      runs,
      summary: summarize(runs),
      comparison,
      curves: curvesOf(runs),
      profile,
      note,
    };
  }

  #of(name: string): Gathered {
    return this.#rungs.find(({ plan }) => plan.rung.name === name)!;
  }
}

function blocksOf(runs: Gathered["runs"]): number {
  return Math.max(0, ...runs.map(({ repeat }) => repeat + 1));
}
