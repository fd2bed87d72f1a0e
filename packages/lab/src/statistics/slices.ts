import { mean, median } from "simple-statistics";
import { middle } from "./blocks.ts";

/** A figure of a slice of time. */
export interface Slice {
  /** Round in its block. A round visits everything in order, and again in reverse. */
  round: number;
  /** The direction. */
  way: 0 | 1;
  /** Greater than 0. */
  figure: number;
  /**
   * The machine's condition meanwhile, in numbers that do not depend on what was measured: how long a fixed piece of work took, how far the
   * processors were from each other. The same ones for every slice; one that is unknown is undefined or 0.
   */
  machine?: readonly (number | undefined)[];
}

/** By which power of each number of the machine's condition a figure changes. */
export type Slopes = readonly number[];

/** Two slices of one direction of one round, close in time. */
interface Near {
  round: number;
  /** Logarithms of the ratio. */
  figure: number;
  machine: readonly number[];
}

/**
 * How a figure follows the machine's condition, from pairs of slices: least squares on their logarithms, less what each
 * comparison has in common. Pairs that something else hit are left out. From -2 to 2 each; none where nothing can be said.
 */
export function slopesOf(
  comparisons: readonly { before: readonly Slice[]; after: readonly Slice[] }[],
): Slopes {
  const pairs = comparisons.flatMap(({ before, after }) => {
    const found = near(before, after);
    if (found.length < 3) return [];
    const center = (value: (pair: Near) => number) => median(found.map(value));
    const figure = center((pair) => pair.figure);
    const machine = found[0].machine.map((_, at) => center((pair) => pair.machine[at]));
    return found.map((pair) => ({
      y: pair.figure - figure,
      x: pair.machine.map((value, at) => value - machine[at]),
    }));
  });
  if (pairs.length < 10) return [];
  // What the condition explains is no reason to leave a pair out: the second fit knows that.
  let slopes: Slopes = [];
  for (let fit = 0; fit < 2; fit++) {
    const rest = pairs.map(({ x, y }) => Math.abs(y - along(slopes, x)));
    const limit = 3.5 * 1.4826 * median(rest);
    slopes = leastSquares(pairs.filter((_, at) => rest[at] <= limit));
  }
  return slopes.map((slope) => Math.max(-2, Math.min(2, slope)));
}

/**
 * The logarithm of the ratio of two figures in one block, from slices that were near in time. What drifts evenly through a round
 * cancels between its two ways. What follows the machine's condition is taken out by `slopes`. Undefined where nothing pairs.
 */
export function blockRatio(
  before: readonly Slice[],
  after: readonly Slice[],
  slopes: Slopes = [],
): number | undefined {
  const rounds = Map.groupBy(near(before, after), ({ round }) => round);
  if (rounds.size === 0) return undefined;
  return middle(
    [...rounds.values()].map((pairs) =>
      mean(pairs.map(({ figure, machine }) => figure - along(slopes, machine))),
    ),
  );
}

function near(before: readonly Slice[], after: readonly Slice[]): Near[] {
  const found = new Map(before.map((slice) => [`${slice.round} ${slice.way}`, slice]));
  return after.flatMap((slice) => {
    const other = found.get(`${slice.round} ${slice.way}`);
    if (!other || !(other.figure > 0) || !(slice.figure > 0)) return [];
    const machine = (slice.machine ?? []).map((value, at) => {
      const others = other.machine?.[at];
      return value && others ? Math.log(value / others) : 0;
    });
    return [{ round: slice.round, figure: Math.log(slice.figure / other.figure), machine }];
  });
}

/** What the slopes say of such a difference. */
function along(slopes: Slopes, machine: readonly number[]): number {
  return slopes.reduce((sum, slope, at) => sum + slope * machine[at], 0);
}

/** The normal equations, solved by elimination. A number that never changes explains nothing. */
function leastSquares(pairs: readonly { x: readonly number[]; y: number }[]): number[] {
  const numbers = [...(pairs[0]?.x.keys() ?? [])];
  const product = (of: (pair: (typeof pairs)[number]) => number) =>
    pairs.reduce((sum, pair) => sum + of(pair), 0);
  const rows = numbers.map((row) => [
    ...numbers.map((column) => product(({ x }) => x[row] * x[column])),
    product(({ x, y }) => x[row] * y),
  ]);
  const solvable = numbers.filter((at) => {
    const pivot = rows[at][at];
    if (!(pivot > 1e-9 * product(({ x }) => x[at] ** 2)) || pivot === 0) return false;
    for (const [row, values] of rows.entries()) {
      if (row === at) continue;
      const factor = values[at] / pivot;
      for (const column of values.keys()) values[column] -= factor * rows[at][column];
    }
    return true;
  });
  return numbers.map((at) => (solvable.includes(at) ? rows[at][numbers.length] / rows[at][at] : 0));
}
