import { LabError } from "../errors.ts";
import type { RunKind } from "../results/file.ts";
import type { Estimate, FigureComparison } from "../results/schema.ts";
import { fewestBlocks } from "../statistics/blocks.ts";
import { estimateMedian } from "../statistics/estimate.ts";
import { fewestPairs } from "../statistics/paired.ts";
import { unpairedRatios } from "../statistics/unpaired.ts";
import type { ComparableRow, ComparableRun } from "./comparable.ts";
import { withCurveRows } from "./curve-rows.ts";
import { type Difference, settingsThatDiffer } from "./differences.ts";
import { type MetricName, metricNames, metrics } from "./metrics.ts";

export type ChangeVerdict = FigureComparison["verdict"];

/** A later run's figure over the first run's. */
export interface Change {
  ratio: Estimate;
  verdict: ChangeVerdict;
}

/** One rung or cell in one run. */
export type ComparedCell =
  | { status: "measured"; repeats: number; figures: Record<MetricName, Estimate> }
  | { status: "failed" | "skipped"; reason: string }
  | { status: "absent" };

export interface ComparedRow {
  name: string;
  title: string;
  /** It is a point of the response curves of a rung or a cell. */
  point?: true;
  /** One per run, in their order. */
  cells: ComparedCell[];
  /** For each run after the first; null if one of the two did not measure it. */
  changes: (Record<MetricName, Change> | null)[];
}

/** Several runs, each compared with the first. */
export interface RunsComparison {
  schema: 1;
  kind: RunKind;
  runs: { label: string; siphon: string; started: string; complete: boolean }[];
  /** Settings that are not the same in all runs. */
  differences: Difference[];
  rows: ComparedRow[];
}

/**
 * Compares two or more runs, rung by rung or cell by cell, and in each point of their response curves. Repeats of
 * different runs were made at different times, so they are not paired (`unpairedRatios`).
 *
 * @throws LabError SIPHON_USAGE when the runs are not of one kind
 */
export function compareRuns(runs: readonly ComparableRun[]): RunsComparison {
  const [{ kind }] = runs;
  const other = runs.find((run) => run.kind !== kind);
  if (other) {
    const message = `${runs[0].label} is a run of siphon ${kind}, and ${other.label} of siphon ${other.kind}`;
    throw new LabError("SIPHON_USAGE", `${message}: they cannot be compared`);
  }
  const rowsOf = runs.map(({ rows }) => rows.flatMap(withCurveRows));
  const titles = new Map(rowsOf.flatMap((rows) => rows.map(({ name, title }) => [name, title])));
  const found = [...titles.keys()].map((name) => rowsOf.map((rows) => rows.find((row) => row.name === name)));
  const changes = changesOf(found);
  return {
    schema: 1,
    kind,
    runs: runs.map(({ label, siphon, started, complete }) => ({ label, siphon, started, complete })),
    differences: settingsThatDiffer(runs.map(({ settings }) => settings)),
    rows: [...titles].map(([name, title], index) => {
      const point = found[index].some((row) => row?.point);
      return {
        ...{ name, title, ...(point && { point }) },
        cells: found[index].map(cellOf),
        changes: changes[index],
      };
    }),
  };
}

function cellOf(row: ComparableRow | undefined): ComparedCell {
  if (!row) return { status: "absent" };
  if (row.status !== "measured") return { status: row.status, reason: row.reason };
  const estimates = metricNames.map((name) => [name, estimateMedian(row.runs.map(metrics[name].of))]);
  return {
    status: "measured",
    repeats: row.runs.length,
    figures: Object.fromEntries(estimates) as Record<MetricName, Estimate>,
  };
}

/**
 * For each row, the changes of each later run. Rows are evaluated together, so that they share their variance
 * estimates.
 */
function changesOf(rows: readonly (ComparableRow | undefined)[][]): (Record<MetricName, Change> | null)[][] {
  const later = Array.from({ length: rows[0]?.length ? rows[0].length - 1 : 0 }, (_, index) =>
    changesTo(rows.map(([first, ...others]) => [first, others[index]])),
  );
  return rows.map((_, row) => later.map((changes) => changes[row]));
}

function changesTo(
  rows: readonly (readonly [ComparableRow | undefined, ComparableRow | undefined])[],
): (Record<MetricName, Change> | null)[] {
  const both = rows.map(([first, later]) =>
    first?.status === "measured" && later?.status === "measured" ? [first.runs, later.runs] : undefined,
  );
  const known = both.filter((runs) => runs !== undefined);
  const found = metricNames.map((name) => {
    const { of, moreIsBetter } = metrics[name];
    const ratios = unpairedRatios(
      known.map(([before, after]) => ({ before: before.map(of), after: after.map(of) })),
    );
    return ratios.map((ratio, index) => {
      const repeats = Math.min(...known[index].map(({ length }) => length));
      return [name, { ratio, verdict: changeVerdict(ratio, repeats, moreIsBetter, fewestBlocks) }] as const;
    });
  });
  return both.map((runs) => {
    if (!runs) return null;
    const index = known.indexOf(runs);
    return Object.fromEntries(found.map((changes) => changes[index])) as Record<MetricName, Change>;
  });
}

/** The verdict on the ratio of any figure: a difference counts only if its interval excludes 1. */
export function changeVerdict(
  { low, high }: Estimate,
  repeats: number,
  moreIsBetter: boolean,
  fewest = fewestPairs,
): ChangeVerdict {
  if (repeats < fewest) return "too few repeats";
  if (low > 1) return moreIsBetter ? "better" : "worse";
  if (high < 1) return moreIsBetter ? "worse" : "better";
  return "no significant difference";
}
