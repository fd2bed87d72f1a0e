import { mean, median } from "simple-statistics";
import { middle } from "./blocks.ts";

/** A figure that was measured in a slice of time. */
export interface Slice {
  /** In which round of its block. A round visits everything on its way there, and again on its way back. */
  round: number;
  /** Which of the two. */
  way: 0 | 1;
  /** Greater than 0. */
  figure: number;
  /** How long a fixed piece of work took beside it: how fast the processor was. */
  calibration?: number;
}

/** Two slices of one way of one round, which were near in time. */
interface Near {
  round: number;
  /** Logarithms of the ratio. */
  figure: number;
  calibration: number;
}

/**
 * By how much a figure follows the processor's speed, from pairs of slices: the slope between their logarithms, less what each
 * comparison has in common. From -2 to 2; 0 where nothing can be said.
 */
export function slopeOf(
  comparisons: readonly { before: readonly Slice[]; after: readonly Slice[] }[],
): number {
  const pairs = comparisons.flatMap(({ before, after }) => {
    const found = near(before, after);
    if (found.length < 3) return [];
    const [figure, calibration] = [
      found.map((pair) => pair.figure),
      found.map((pair) => pair.calibration),
    ].map(median);
    return found.map((pair) => ({ y: pair.figure - figure, x: pair.calibration - calibration }));
  });
  if (pairs.length < 10) return 0;
  const limit = 3.5 * 1.4826 * median(pairs.map(({ y }) => Math.abs(y)));
  const usual = pairs.filter(({ y }) => Math.abs(y) <= limit);
  const along = usual.reduce((sum, { x, y }) => sum + x * y, 0);
  const across = usual.reduce((sum, { x }) => sum + x * x, 0);
  return across > 0 ? Math.max(-2, Math.min(2, along / across)) : 0;
}

/**
 * The logarithm of the ratio of two figures in one block, from slices that were near in time. What drifts evenly through a round
 * cancels between its two ways. What follows the processor's speed is taken out by `slope`. Undefined where nothing pairs.
 */
export function blockRatio(before: readonly Slice[], after: readonly Slice[], slope = 0): number | undefined {
  const rounds = Map.groupBy(near(before, after), ({ round }) => round);
  if (rounds.size === 0) return undefined;
  return middle(
    [...rounds.values()].map((pairs) =>
      mean(pairs.map(({ figure, calibration }) => figure - slope * calibration)),
    ),
  );
}

function near(before: readonly Slice[], after: readonly Slice[]): Near[] {
  const found = new Map(before.map((slice) => [`${slice.round} ${slice.way}`, slice]));
  return after.flatMap((slice) => {
    const other = found.get(`${slice.round} ${slice.way}`);
    if (!other || !(other.figure > 0) || !(slice.figure > 0)) return [];
    const calibrated = other.calibration && slice.calibration;
    return [
      {
        round: slice.round,
        figure: Math.log(slice.figure / other.figure),
        calibration: calibrated ? Math.log(slice.calibration! / other.calibration!) : 0,
      },
    ];
  });
}
