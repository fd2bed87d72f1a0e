import { mean, median, sampleVariance } from "simple-statistics";
import type { Estimate } from "../results/schema.ts";
import { holm } from "./holm.ts";
import { moderate } from "./moderated.ts";
import { reach95, twoSided } from "./student.ts";

/** The ratio of two figures in several blocks, as logarithms. */
export type BlockRatios = readonly number[];

/** The estimate of a ratio from all blocks. */
export interface RatioFinding {
  /** With its 95 % interval. */
  ratio: Estimate;
  /** p-value: probability of such a ratio without a difference, corrected for all ratios evaluated together. */
  probability: number;
}

/** With fewer blocks their variation cannot be estimated. */
export const fewestBlocks = 3;

/**
 * Evaluates ratios together, such as each rung's over the previous rung's. Differences between boots show up as
 * differences between blocks, so the interval includes them. Each ratio estimates its variance from its own blocks,
 * moderated by the others (`moderate`). Undefined with too few blocks.
 */
export function findRatios(asked: readonly BlockRatios[]): (RatioFinding | undefined)[] {
  const isKnown = (blocks: BlockRatios) => blocks.length >= fewestBlocks;
  const known = asked.filter(isKnown);
  const variances = moderate(
    known.map((blocks) => ({ variance: sampleVariance([...blocks]), degrees: blocks.length - 1 })),
  );
  const tests = known.map((blocks, index) => {
    const { variance, degrees } = variances[index];
    const center = mean([...blocks]);
    const error = Math.sqrt(variance / blocks.length);
    const reach = reach95(degrees) * error;
    const [middle, low, high] = [center, center - reach, center + reach].map(Math.exp);
    // Equal to the last digit in all blocks: a comparison with itself.
    const probability = error > 0 ? twoSided(center / error, degrees) : center === 0 ? 1 : 0;
    return { ratio: { median: middle, low, high }, probability };
  });
  const corrected = holm(tests.map(({ probability }) => probability));
  const findings = tests.map(({ ratio }, index) => ({ ratio, probability: corrected[index] })).values();
  return asked.map((blocks) => (isKnown(blocks) ? findings.next().value : undefined));
}

/**
 * A robust centre of a few values: the median of the means of all pairs (Hodges and Lehmann, 1963). Without outliers it
 * is almost as precise as the mean.
 *
 * @throws RangeError without values
 */
export function middle(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("there is no middle of no values");
  const means = values.flatMap((one, index) => values.slice(index).map((other) => (one + other) / 2));
  return median(means);
}
