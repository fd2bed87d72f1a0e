import type { Estimate, Results, RungResult } from "../results/schema.ts";
import { estimateMedian } from "../statistics/estimate.ts";
import { unpairedRatio } from "../statistics/unpaired.ts";
import { fewestPairs } from "../statistics/verdict.ts";
import { type Difference, settingsThatDiffer } from "./differences.ts";
import { type MetricName, metricNames, metrics } from "./metrics.ts";

/** A run to be compared, and what to call it. */
export interface NamedRun {
  label: string;
  results: Results;
}

export type ChangeVerdict = "better" | "worse" | "no significant difference" | "too few repeats";

/** A later run's figure over the first run's. */
export interface Change {
  ratio: Estimate;
  verdict: ChangeVerdict;
}

/** One rung in one run. */
export type ComparedCell =
  | { status: "measured"; repeats: number; figures: Record<MetricName, Estimate> }
  | { status: "failed" | "skipped"; reason: string }
  | { status: "absent" };

export interface ComparedRung {
  name: string;
  title: string;
  /** As many as there are runs, in their order. */
  cells: ComparedCell[];
  /** For each run after the first; null where one of the two did not measure the rung. */
  changes: (Record<MetricName, Change> | null)[];
}

/** Runs side by side; every one is held against the first. */
export interface RunsComparison {
  schema: 1;
  runs: { label: string; siphon: string; started: string; complete: boolean }[];
  /** Settings that are not the same in all runs. */
  differences: Difference[];
  rungs: ComparedRung[];
}

/**
 * Compares two or more runs rung by rung. Repeats of different runs were made at different times and are no
 * pairs: the ratio is that of the medians, its interval from resampling each run by itself.
 */
export function compareRuns(runs: readonly NamedRun[]): RunsComparison {
  const names = new Map(runs.flatMap(({ results }) => results.rungs.map(({ name, title }) => [name, title])));
  return {
    schema: 1,
    runs: runs.map(({ label, results: { siphon, started, complete } }) => ({
      label,
      siphon,
      started,
      complete,
    })),
    differences: settingsThatDiffer(runs.map(({ results }) => results)),
    rungs: [...names].map(([name, title]) => {
      const found = runs.map(({ results }) => results.rungs.find((rung) => rung.name === name));
      const [first, ...later] = found;
      return { name, title, cells: found.map(cellOf), changes: later.map((rung) => changeOf(first, rung)) };
    }),
  };
}

function cellOf(rung: RungResult | undefined): ComparedCell {
  if (!rung) return { status: "absent" };
  if (rung.status !== "measured") return { status: rung.status, reason: rung.reason };
  const estimates = metricNames.map((name) => [name, estimateMedian(rung.runs.map(metrics[name].of))]);
  return {
    status: "measured",
    repeats: rung.runs.length,
    figures: Object.fromEntries(estimates) as Record<MetricName, Estimate>,
  };
}

function changeOf(
  first: RungResult | undefined,
  later: RungResult | undefined,
): Record<MetricName, Change> | null {
  if (first?.status !== "measured" || later?.status !== "measured") return null;
  const repeats = Math.min(first.runs.length, later.runs.length);
  const changes = metricNames.map((name) => {
    const { of, moreIsBetter } = metrics[name];
    const ratio = unpairedRatio(first.runs.map(of), later.runs.map(of));
    return [name, { ratio, verdict: changeVerdict(ratio, repeats, moreIsBetter) }];
  });
  return Object.fromEntries(changes) as Record<MetricName, Change>;
}

/** What a ratio says of any figure: a difference counts only if its interval excludes 1. */
export function changeVerdict(
  { low, high }: Estimate,
  repeats: number,
  moreIsBetter: boolean,
): ChangeVerdict {
  if (repeats < fewestPairs) return "too few repeats";
  if (low > 1) return moreIsBetter ? "better" : "worse";
  if (high < 1) return moreIsBetter ? "worse" : "better";
  return "no significant difference";
}
