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
  /** Why runs of it failed, in the order in which they did. */
  failures: string[];
  profile?: string;
  /** The run of a block that goes on, as far as it is known. */
  underWay?: Omit<Run, "outlier">;
}

type Fixed = Pick<Results, "mode" | "seed" | "workload" | "roots" | "facts" | "accelerator">;

/** Gathers what the ladder measures, and says at any moment what the results are until then. */
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

  /** How to repeat a rung: the same for each of its runs. */
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

  /** Takes the figures so far of a run that goes on. They are in `resultsSoFar` alone. */
  goesOn(rung: string, run: Omit<Run, "outlier">): void {
    this.#of(rung).underWay = run;
  }

  fail(rung: string, reason: string): void {
    const gathered = this.#of(rung);
    gathered.failures.push(reason);
    delete gathered.underWay;
  }

  /** A rung that failed in its first repeat and never worked will not work in the next. */
  isHopeless(rung: string): boolean {
    const { runs, failures } = this.#of(rung);
    return runs.length === 0 && failures.length > 0;
  }

  addBigger(rung: string, step: BiggerStep): void {
    this.#bigger ??= { rung, steps: [] };
    this.#bigger.steps.push(rung === this.#bigger.rung ? step : { rung, ...step });
  }

  /** Rungs that failed, wholly or in some repeats. */
  get failures(): { rung: string; reason: string }[] {
    return this.#rungs.flatMap(({ plan, failures }) =>
      failures.length > 0 ? [{ rung: plan.rung.name, reason: failures[0] }] : [],
    );
  }

  /** The results with runs that go on: what only fio's last words say is 0 in those. Rungs whose turn comes are left out. */
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
