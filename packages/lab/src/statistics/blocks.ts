import { mean, median, sampleVariance } from "simple-statistics";
import type { Estimate } from "../results/schema.ts";
import { holm } from "./holm.ts";
import { moderate } from "./moderated.ts";
import { reach95, twoSided } from "./student.ts";

/** The ratio of two things, known from several blocks: each has the logarithm of what it found. */
export type BlockRatios = readonly number[];

/** The finding on a ratio, from all blocks. */
export interface RatioFinding {
  /** With its 95 % interval. */
  ratio: Estimate;
  /** How likely a ratio as far from 1 is where there is no difference; corrected for all that are asked about together. */
  probability: number;
}

/** Below this many blocks nothing is said of how much they differ. */
export const fewestBlocks = 3;

/**
 * Ratios that are asked about together, such as each rung's over that of the rung before. All that differs from one boot to the next
 * differs from one block to the next, so it is in the interval. How much that is, each estimates from its own blocks, and borrows
 * from the others (`moderate`). Undefined where there are too few blocks.
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
    // Blocks that are equal to the last digit: a thing against itself.
    const probability = error > 0 ? twoSided(center / error, degrees) : center === 0 ? 1 : 0;
    return { ratio: { median: middle, low, high }, probability };
  });
  const corrected = holm(tests.map(({ probability }) => probability));
  const findings = tests.map(({ ratio }, index) => ({ ratio, probability: corrected[index] })).values();
  return asked.map((blocks) => (isKnown(blocks) ? findings.next().value : undefined));
}

/**
 * The middle of a few values, which a few wild ones do not move: the median of the means of all pairs (Hodges and Lehmann, 1963).
 * Among quiet values it is almost as exact as their mean.
 *
 * @throws RangeError when there are none
 */
export function middle(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("there is no middle of no values");
  const means = values.flatMap((one, index) => values.slice(index).map((other) => (one + other) / 2));
  return median(means);
}
