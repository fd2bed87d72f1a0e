import { mean } from "simple-statistics";
import { fewestBlocks, findRatios, type RatioFinding } from "../statistics/blocks.ts";
import { blockRatio, type Slice, type Slopes, slopesOf } from "../statistics/slices.ts";
import { type FigureName, figureNames, figures, slicesOf } from "./figures.ts";
import type { Comparison, Estimate, FigureComparison, Run, Verdict } from "./schema.ts";

/** The runs of one rung. */
type Measured = readonly Run[];

/** Two rungs to be compared. */
export interface Asked {
  against: { name: string; runs: Measured };
  rung: { runs: Measured };
}

/** Compares two rungs; see `compareAll`. */
export function compare(against: Asked["against"], rung: Asked["rung"]): Comparison | undefined {
  return compareAll([{ against, rung }])[0];
}

/**
 * Compares rungs in every figure: the ratio within each repeat that measured both, and its verdict. Verdicts are
 * corrected for the number of comparisons by the same figure. Undefined if no repeat measured both.
 */
export function compareAll(asked: readonly Asked[]): (Comparison | undefined)[] {
  return compareFigures(asked).map(({ iops, ...costs }, index) => {
    if (!iops) return undefined;
    const verdict = iops.verdict === "better" ? "faster" : iops.verdict === "worse" ? "slower" : iops.verdict;
    const against = asked[index]!.against.name;
    return { against, ...iops, verdict: verdict satisfies Verdict, costs: defined(costs) };
  });
}

/** The same for each figure, including IOPS. */
export function compareFigures(asked: readonly Asked[]): Record<FigureName, FigureComparison | undefined>[] {
  const found = figureNames.map((name) => [name, byFigure(name, asked)] as const);
  return asked.map(
    (_, index) =>
      Object.fromEntries(found.map(([name, all]) => [name, all[index]])) as Record<
        FigureName,
        FigureComparison | undefined
      >,
  );
}

/** The logarithm of each rung's ratio in each repeat that measured both. */
export function ratiosOf(name: FigureName, asked: readonly Asked[]): number[][] {
  const pairs = asked.map((each) => pairsOf(name, each));
  const slopes = slopesOf(pairs.flat().flatMap(({ slices }) => slices ?? []));
  return pairs.map((all) => all.flatMap((pair) => ratioOf(pair, slopes) ?? []));
}

function byFigure(name: FigureName, asked: readonly Asked[]): (FigureComparison | undefined)[] {
  const blocks = ratiosOf(name, asked);
  return findRatios(blocks).map((finding, index) => {
    if (blocks[index].length === 0) return undefined;
    if (!finding) return { ratio: range(blocks[index]), verdict: "too few repeats" };
    return {
      ratio: finding.ratio,
      verdict: verdictOf(finding, figures[name].moreIsBetter),
      probability: finding.probability,
    };
  });
}

/** One repeat of two rungs. */
interface Pair {
  before: number;
  after: number;
  slices?: { before: Slice[]; after: Slice[] };
}

function pairsOf(name: FigureName, { against, rung }: Asked): Pair[] {
  const others = new Map(against.runs.map((run) => [run.repeat, run]));
  return rung.runs.flatMap((run) => {
    const other = others.get(run.repeat);
    if (!other) return [];
    const [before, after] = [slicesOf(other, name), slicesOf(run, name)];
    return [
      {
        before: figures[name].of(other),
        after: figures[name].of(run),
        ...(before && after && { slices: { before, after } }),
      },
    ];
  });
}

/** The logarithm of the ratio; undefined if one of the two is zero. */
function ratioOf({ before, after, slices }: Pair, slopes: Slopes): number | undefined {
  if (slices) return blockRatio(slices.before, slices.after, slopes);
  return before > 0 && after > 0 ? Math.log(after / before) : undefined;
}

/** A difference counts only if it is significant after the correction for multiple comparisons. */
function verdictOf({ probability, ratio }: RatioFinding, moreIsBetter: boolean): FigureComparison["verdict"] {
  if (probability > 0.05 || ratio.median === 1) return "no significant difference";
  return ratio.median > 1 === moreIsBetter ? "better" : "worse";
}

/** Too few values for an interval: the range from the least to the greatest. */
function range(logs: readonly number[]): Estimate {
  const [median, low, high] = [mean([...logs]), Math.min(...logs), Math.max(...logs)].map(Math.exp);
  return { median, low, high };
}

function defined<T extends object>(all: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as never;
}

/** With fewer common repeats there is no verdict. */
export const fewestRepeats = fewestBlocks;
