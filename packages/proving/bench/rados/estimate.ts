/** The median of repeats, with the interval that holds the true one in 95 of 100 cases. */
export interface Estimate {
  median: number;
  low: number;
  high: number;
}

/**
 * The interval lies between two of the sorted values: the number of values below the true median is binomial, so
 * nothing is assumed about their distribution. With fewer than six values it is their range.
 */
export function estimate(values: readonly number[]): Estimate {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  const middle = n >> 1;
  const median = n % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  let below = 0;
  let tail = 0.5 ** n;
  for (let term = tail; tail + (term * (n - below)) / (below + 1) <= 0.025; below++) {
    term *= (n - below) / (below + 1);
    tail += term;
  }
  const outside = tail <= 0.025 ? below : 0;
  return { median, low: sorted[outside]!, high: sorted[n - 1 - outside]! };
}
