import { median, sampleVariance } from "simple-statistics";
import { LabError } from "../errors.ts";
import { moderate } from "../statistics/moderated.ts";
import { reach95 } from "../statistics/student.ts";
import { type Asked, fewestRepeats, ratiosOf } from "./compare.ts";
import type { MeasuredRung, Results } from "./schema.ts";
import { sharpened } from "./sharpness.ts";

/** Expected sharpness of a ladder's verdicts with this many blocks: half-widths of 95 % intervals, as shares. */
export interface Prospect {
  blocks: number;
  /** For the climb itself, without preparation and reports. */
  seconds: number;
  iops: { middle: number; worst: number };
  cpuPerIo: { middle: number; worst: number };
}

export interface Power {
  /** For each number of blocks, from the least that gives verdicts. */
  prospects: Prospect[];
  /** The first sufficient one, if a sharpness was requested and is reached. */
  enough?: Prospect;
}

/** Maximum number of blocks to predict. */
const MOST_BLOCKS = 200;

/**
 * Predicts the sharpness of a ladder like that of `results` with other numbers of blocks, from the variation between
 * its blocks.
 *
 * @throws LabError SIPHON_USAGE if the results have too few blocks
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

/** From the first VM of one block to the first of the next. */
function secondsOfBlock({ rungs }: Results): number | undefined {
  const runs = rungs.flatMap((rung) => (rung.status === "measured" ? rung.runs : []));
  const blocks = [...Map.groupBy(runs, ({ repeat }) => repeat)].toSorted(([a], [b]) => a - b);
  const starts = blocks.map(([, all]) => Math.min(...all.map(({ started }) => Date.parse(started))));
  const lengths = starts.slice(1).map((start, index) => (start - starts[index]!) / 1000);
  return lengths.length > 0 ? median(lengths) : undefined;
}
