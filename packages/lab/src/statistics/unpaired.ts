import { medianSorted, numericSort, quantileSorted, sampleWithReplacement } from "simple-statistics";
import type { Estimate } from "../results/schema.ts";
import type { BootstrapOptions } from "./estimate.ts";
import { seededRandom } from "./random.ts";

/**
 * The median of one group over that of another, for groups that have nothing to do with each other, such as the repeats of two
 * runs: each is resampled by itself (percentile bootstrap, 95 %).
 *
 * @throws RangeError when one is empty
 */
export function unpairedRatio(
  before: readonly number[],
  after: readonly number[],
  { resamples = 4000, seed = 1 }: BootstrapOptions = {},
): Estimate {
  if (before.length === 0 || after.length === 0) throw new RangeError("there is no median of no values");
  const random = seededRandom(seed);
  const groups = [numericSort([...before]), numericSort([...after])] as const;
  const resampled = (values: number[]) =>
    medianSorted(numericSort(sampleWithReplacement(values, values.length, random)));
  const ratios = numericSort(
    Array.from({ length: resamples }, () => {
      const divisor = resampled(groups[0]);
      return resampled(groups[1]) / divisor;
    }),
  );
  return {
    median: medianSorted(groups[1]) / medianSorted(groups[0]),
    low: quantileSorted(ratios, 0.025),
    high: quantileSorted(ratios, 0.975),
  };
}
