import { mean, median, sampleVariance } from "simple-statistics";
import type { Estimate } from "../results/schema.ts";
import { fewestBlocks } from "./blocks.ts";
import { moderate } from "./moderated.ts";
import { reach95 } from "./student.ts";

/** Values of two independent groups, such as the repeats of two runs; greater than 0. */
export interface Unpaired {
  before: readonly number[];
  after: readonly number[];
}

/**
 * For each pair of groups, the ratio of the later one's geometric mean to the other's, with Student's 95 % interval.
 * Variances within groups are moderated by those of all pairs (`moderate`). With fewer than three values in a group
 * there is no interval: the ratio of the medians, with the range of ratios of single values.
 *
 * @throws RangeError if a group is empty
 */
export function unpairedRatios(asked: readonly Unpaired[]): Estimate[] {
  const logs = asked.map(({ before, after }) => ({
    before: before.map(Math.log),
    after: after.map(Math.log),
  }));
  const known = logs.filter(isKnown);
  const variances = moderate(known.map(pooled));
  const found = known.map(({ before, after }, index): Estimate => {
    const { variance, degrees } = variances[index];
    const center = mean(after) - mean(before);
    const reach = reach95(degrees) * Math.sqrt(variance * (1 / before.length + 1 / after.length));
    const [middle, low, high] = [center, center - reach, center + reach].map(Math.exp);
    return { median: middle, low, high };
  });
  const estimates = found.values();
  return logs.map((each, index) => (isKnown(each) ? estimates.next().value! : range(asked[index])));
}

interface Logs {
  before: number[];
  after: number[];
}

function isKnown({ before, after }: Logs): boolean {
  return [before, after].every((group) => group.length >= fewestBlocks && group.every(Number.isFinite));
}

function pooled({ before, after }: Logs): { variance: number; degrees: number } {
  const [ofBefore, ofAfter] = [before.length - 1, after.length - 1];
  const squares = ofBefore * sampleVariance(before) + ofAfter * sampleVariance(after);
  return { variance: squares / (ofBefore + ofAfter), degrees: ofBefore + ofAfter };
}

function range({ before, after }: Unpaired): Estimate {
  if (before.length === 0 || after.length === 0) throw new RangeError("there is no median of no values");
  return {
    median: median([...after]) / median([...before]),
    low: Math.min(...after) / Math.max(...before),
    high: Math.max(...after) / Math.min(...before),
  };
}
