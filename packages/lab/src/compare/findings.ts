import { listed } from "../report/findings.ts";
import type { ChangeVerdict, RunsComparison } from "./compare-runs.ts";
import { differentWork } from "./differences.ts";

/** The noun for the rows of a run. */
export function nounOf({ kind }: RunsComparison): "rung" | "cell" {
  return kind === "ladder" ? "rung" : "cell";
}

/** The main finding: on how many rungs or cells the later runs carry more or fewer IOPS than the first. */
export function comparisonHeadline(comparison: RunsComparison): string {
  const { runs } = comparison;
  const [only, ...more] = comparisonSentences(comparison);
  if (more.length === 0) return only;
  const verdicts = runs.slice(1).flatMap((_, index) => verdictsOf(comparison, index));
  const faster = verdicts.filter((verdict) => verdict === "better").length;
  const slower = verdicts.filter((verdict) => verdict === "worse").length;
  return `${runs.length - 1} runs against ${runs[0].label}: ${counted(faster, comparison)} faster, ${slower} slower.`;
}

/** One sentence for each later run. */
export function comparisonSentences(comparison: RunsComparison): string[] {
  const [first, ...later] = comparison.runs;
  return later.map(({ label }, index) => {
    const verdicts = verdictsOf(comparison, index);
    if (verdicts.length === 0) return `${label} has no ${nounOf(comparison)} in common with ${first.label}.`;
    const count = (...wanted: ChangeVerdict[]) =>
      verdicts.filter((verdict) => wanted.includes(verdict)).length;
    const parts = [
      [count("better"), "faster"],
      [count("worse"), "slower"],
      [count("no significant difference", "too few repeats"), "not told apart"],
    ] as const;
    const words = parts.flatMap(([number, what]) => (number > 0 ? [`${number} ${what}`] : []));
    return `${label} against ${first.label}: of ${counted(verdicts.length, comparison)} ${listed(words)}.`;
  });
}

/** The verdicts on a later run's IOPS, at the load that the run is about. */
function verdictsOf({ rows }: RunsComparison, later: number): ChangeVerdict[] {
  return rows.flatMap(({ changes, point }) => (point ? [] : (changes[later]?.iops.verdict ?? [])));
}

/** Facts that a reader must know before believing the figures. */
export function comparisonWarnings({ runs, differences }: RunsComparison): string[] {
  const warnings: string[] = [];
  if (differentWork(differences)) {
    warnings.push("The runs did different work: their figures cannot be held against each other.");
  }
  const inOther = (group: string) => differences.some((difference) => difference.group === group);
  const groups = ["machine", "versions", "accelerator", "guest", "cluster"].filter(inOther);
  if (groups.length > 0) {
    warnings.push(
      `The runs differ in ${listed(groups)}, too: what made a difference in the figures may be any of it.`,
    );
  }
  for (const { label, complete } of runs) if (!complete) warnings.push(`${label} was cut short.`);
  return warnings;
}

function counted(count: number, comparison: RunsComparison): string {
  return `${count} ${nounOf(comparison)}${count === 1 ? "" : "s"}`;
}
