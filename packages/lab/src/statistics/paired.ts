import type { Estimate } from "../results/schema.ts";
import { type BootstrapOptions, estimateMedian } from "./estimate.ts";

/** Least number of pairs for a verdict: five pairs on one side happen by chance in 1 of 16 cases, four in 1 of 8. */
export const fewestPairs = 5;

/** Two measurements of the same repeat, affected by the same disturbances. */
export interface Pair {
  before: number;
  after: number;
}

/**
 * The median of after / before over the pairs, with its 95 % interval.
 *
 * @throws RangeError when there are none
 */
export function pairedRatio(pairs: readonly Pair[], options?: BootstrapOptions): Estimate {
  return estimateMedian(
    pairs.map(({ before, after }) => after / before),
    options,
  );
}
