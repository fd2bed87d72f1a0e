import { mean, sampleVariance } from "simple-statistics";

/** A variance with its degrees of freedom (number of values less one). */
export interface VarianceOf {
  variance: number;
  degrees: number;
}

/**
 * Moderated variances. A variance from a few values is by chance too small or too large; variances of similar
 * measurements are similar, and the degree of similarity is estimated from them. Source: Smyth, Linear Models and
 * Empirical Bayes Methods for Assessing Differential Expression, 2004, section 6.2. Fewer than three are not moderated.
 */
export function moderate(all: readonly VarianceOf[]): VarianceOf[] {
  const usable = all.filter(({ variance, degrees }) => variance > 0 && degrees > 0);
  if (usable.length < 3) return [...all];
  const logs = usable.map(
    ({ variance, degrees }) => Math.log(variance) - digamma(degrees / 2) + Math.log(degrees / 2),
  );
  const spread = sampleVariance(logs);
  const beyond = spread - mean(usable.map(({ degrees }) => trigamma(degrees / 2)));
  const total = usable.reduce((sum, { degrees }) => sum + degrees, 0);
  // Their differences are within chance: uses one common variance.
  const prior = beyond > 0 ? 2 * inverseTrigamma(beyond) : total;
  const common =
    beyond > 0 ? Math.exp(mean(logs) + digamma(prior / 2) - Math.log(prior / 2)) : Math.exp(mean(logs));
  return all.map(({ variance, degrees }) => ({
    variance: (prior * common + degrees * variance) / (prior + degrees),
    degrees: Math.min(prior + degrees, total),
  }));
}

/** The derivative of the logarithm of the gamma function; source: Abramowitz and Stegun, 6.3.5 and 6.3.18. */
export function digamma(x: number): number {
  if (x < 8) return digamma(x + 1) - 1 / x;
  const square = 1 / (x * x);
  return Math.log(x) - 0.5 / x - square * (1 / 12 - square * (1 / 120 - square / 252));
}

/** Its derivative; source: Abramowitz and Stegun, 6.4.6 and 6.4.12. */
export function trigamma(x: number): number {
  if (x < 8) return trigamma(x + 1) + 1 / (x * x);
  const square = 1 / (x * x);
  return 1 / x + square / 2 + (square / x) * (1 / 6 - square * (1 / 30 - square / 42));
}

/** The inverse of the decreasing function trigamma at `y`. */
export function inverseTrigamma(y: number): number {
  let [low, high] = [1e-8, 1e8];
  for (let step = 0; step < 100; step++) {
    const middle = Math.sqrt(low * high);
    if (trigamma(middle) > y) low = middle;
    else high = middle;
  }
  return Math.sqrt(low * high);
}
