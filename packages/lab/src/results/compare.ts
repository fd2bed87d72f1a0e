import { pairedRatio, verdictOf } from "../statistics/verdict.ts";
import type { Comparison, Run } from "./schema.ts";

/** What a comparison looks at. */
type Measured = readonly Pick<Run, "repeat" | "iops">[];

/**
 * A rung's IOPS against another's: the ratio within each repeat that measured both, and what it says.
 * Undefined when no repeat did.
 */
export function compare(
  against: { name: string; runs: Measured },
  rung: { runs: Measured },
): Comparison | undefined {
  const before = new Map(against.runs.map((run) => [run.repeat, run.iops]));
  const pairs = rung.runs.flatMap((run) => {
    const iops = before.get(run.repeat);
    return iops ? [{ before: iops, after: run.iops }] : [];
  });
  if (pairs.length === 0) return undefined;
  const ratio = pairedRatio(pairs);
  return { against: against.name, ratio, verdict: verdictOf(ratio, pairs.length) };
}
