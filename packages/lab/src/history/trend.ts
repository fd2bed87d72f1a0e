import type { ComparableRun } from "../compare/comparable.ts";
import { compareRuns, type RunsComparison } from "../compare/compare-runs.ts";
import { type Difference, differenceName } from "../compare/differences.ts";
import { LabError } from "../errors.ts";
import type { RunEntry } from "./entries.ts";
import type { Plan } from "./plan.ts";

/** Runs of one plan in chronological order, each compared with the first. */
export interface Trend {
  plan: Plan;
  comparison: RunsComparison;
}

/**
 * The runs of a plan, or of the latest run's: the latest `last` of them.
 *
 * @throws LabError SIPHON_NOT_FOUND if it has fewer than two
 */
export function trendOf(
  entries: readonly RunEntry[],
  { plan: id, last }: { plan?: string; last: number },
): Trend {
  const read = entries.flatMap(({ run, plan }) => (run && plan && isMeasured(run) ? [{ run, plan }] : []));
  const wanted = id === undefined ? read.at(-1)?.plan.id : id;
  const found = read.filter(({ plan }) => plan.id === wanted).slice(-last);
  const plan = found[0]?.plan;
  if (plan === undefined || found.length < 2) {
    const what = id === undefined ? "the latest run's plan" : `the plan ${id}`;
    throw new LabError("SIPHON_NOT_FOUND", `there are no two runs of ${what}`, {
      hint: "siphon runs list shows each run's plan; repeat a run, and its plan has two",
    });
  }
  return { plan, comparison: compareRuns(found.map(({ run }) => run)) };
}

function isMeasured({ rows }: ComparableRun): boolean {
  return rows.some(({ status }) => status === "measured");
}

/** The differences of a run from the previous one, in words: "versions: QEMU 7.2.22 → 10.0.13". */
export function changesBefore(differences: readonly Difference[], run: number): string[] {
  if (run === 0) return [];
  return differences.flatMap((difference) => {
    const [before, after] = difference.values.slice(run - 1, run + 1);
    if (before === after) return [];
    return [`${differenceName(difference)} ${before ?? "none"} → ${after ?? "none"}`];
  });
}

/** The main finding: the latest run compared with the first. */
export function trendHeadline({ comparison }: Trend): string {
  const { runs, rows } = comparison;
  const verdicts = rows.flatMap(({ changes }) => changes.at(-1)?.iops.verdict ?? []);
  const count = (verdict: string) => verdicts.filter((each) => each === verdict).length;
  const [better, worse] = [count("better"), count("worse")];
  const between = `from the first of ${runs.length} runs to the latest`;
  if (verdicts.length === 0) return `The first of ${runs.length} runs and the latest have nothing in common.`;
  if (better + worse === 0) return `No figure of IOPS is known to have changed ${between}.`;
  return `Of ${verdicts.length} figures of IOPS, ${better} became better and ${worse} worse ${between}.`;
}
