/**
 * Probabilities corrected for the number of comparisons that are made (Holm, A Simple Sequentially Rejective Multiple
 * Test Procedure, 1979), in the same order: whoever calls those up to 0.05 differences is wrong anywhere among them in at most 5 %
 * of all runs.
 */
export function holm(probabilities: readonly number[]): number[] {
  const order = probabilities
    .map((_, index) => index)
    .toSorted((a, b) => probabilities[a] - probabilities[b]);
  const corrected: number[] = [];
  let least = 0;
  for (const [rank, index] of order.entries()) {
    least = Math.max(least, Math.min(1, probabilities[index] * (order.length - rank)));
    corrected[index] = least;
  }
  return corrected;
}
