import { median, sampleVariance } from "simple-statistics";
import { LabError } from "../errors.ts";
import { moderate } from "../statistics/moderated.ts";
import { reach95 } from "../statistics/student.ts";
import { type Asked, fewestRepeats, ratiosOf } from "./compare.ts";
import type { MeasuredRung, Results } from "./schema.ts";
import { sharpened } from "./sharpness.ts";

/** How sharp the verdicts of a ladder become with this many blocks: how far 95 % intervals reach, as shares. */
export interface Prospect {
  blocks: number;
  /** For the climb alone, without what comes before and after. */
  seconds: number;
  iops: { middle: number; worst: number };
  cpuPerIo: { middle: number; worst: number };
}

export interface Power {
  /** With each number of blocks, from the fewest that give verdicts on. */
  prospects: Prospect[];
  /** The first of them that is enough, where a sharpness was asked for and is among them. */
  enough?: Prospect;
}

/** More are no longer a plan. */
const MOST_BLOCKS = 200;

/**
 * Predicts the sharpness of a ladder like that of `results` with more blocks or fewer: how much its blocks differ says how fast intervals
 * shrink.
 *
 * @throws LabError SIPHON_USAGE where the results do not say it
 */
export function powerOf(results: Results, until?: number): Power {
  const asked = comparisonsOf(results);
  const known = sharpened.map((name) => {
    const usable = ratiosOf(name, asked).filter((blocks) => blocks.length >= fewestRepeats);
    return usable.map((blocks) => sampleVariance(blocks));
  });
  const seconds = secondsOfBlock(results);
  if (known.some((variances) => variances.length === 0) || seconds === undefined) {
    throw new LabError("SIPHON_USAGE", `the run has too few blocks to say how much they differ`, {
      hint: `climb ${fewestRepeats} blocks or more first: siphon ladder --repeat ${fewestRepeats}`,
    });
  }
  const prospects = Array.from({ length: MOST_BLOCKS - fewestRepeats + 1 }, (_, index): Prospect => {
    const blocks = fewestRepeats + index;
    const [iops, cpuPerIo] = known.map((variances) => reaches(variances, blocks));
    return { blocks, seconds: blocks * seconds, iops: iops!, cpuPerIo: cpuPerIo! };
  });
  const isEnough = ({ iops, cpuPerIo }: Prospect) => Math.max(iops.worst, cpuPerIo.worst) <= until!;
  return { prospects, ...(until !== undefined && { enough: prospects.find(isEnough) }) };
}

function comparisonsOf({ rungs }: Results): Asked[] {
  const measured = rungs.filter((rung): rung is MeasuredRung => rung.status === "measured");
  return measured.flatMap((rung) => {
    const against = measured.find(({ name }) => name === rung.comparison?.against);
    return against ? [{ against, rung }] : [];
  });
}

function reaches(variances: readonly number[], blocks: number): { middle: number; worst: number } {
  const moderated = moderate(variances.map((variance) => ({ variance, degrees: blocks - 1 })));
  const all = moderated.map(({ variance, degrees }) =>
    Math.expm1(reach95(degrees) * Math.sqrt(variance / blocks)),
  );
  return { middle: median(all), worst: Math.max(...all) };
}

/** From the first VM that stood in one block to the first of the next. */
function secondsOfBlock({ rungs }: Results): number | undefined {
  const runs = rungs.flatMap((rung) => (rung.status === "measured" ? rung.runs : []));
  const blocks = [...Map.groupBy(runs, ({ repeat }) => repeat)].toSorted(([a], [b]) => a - b);
  const starts = blocks.map(([, all]) => Math.min(...all.map(({ started }) => Date.parse(started))));
  const lengths = starts.slice(1).map((start, index) => (start - starts[index]!) / 1000);
  return lengths.length > 0 ? median(lengths) : undefined;
}
