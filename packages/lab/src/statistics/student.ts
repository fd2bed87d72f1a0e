/** With more degrees of freedom Student's distribution equals the normal one to five digits. */
const PLENTY = 1e6;

/** Half-width of a two-sided 95 % interval in standard errors. */
export function reach95(degrees: number): number {
  let [low, high] = [0, 1e6];
  while (high - low > 1e-9 * high) {
    const middle = (low + high) / 2;
    if (twoSided(middle, degrees) > 0.05) low = middle;
    else high = middle;
  }
  return high;
}

/** The two-sided probability of a value at least this far from 0. Source: Abramowitz and Stegun, 26.7.1. */
export function twoSided(t: number, degrees: number): number {
  const known = Math.min(degrees, PLENTY);
  return incompleteBeta(known / (known + t * t), known / 2, 0.5);
}

/**
 * The regularized incomplete beta function. Source: Abramowitz and Stegun, 26.5.8, its continued fraction evaluated by Lentz's method; the
 * symmetry 26.5.2 takes it where the fraction converges fast.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const scale = logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x);
  let [numerator, denominator, value] = [1, 1 / nonZero(1 - ((a + b) * x) / (a + 1)), 1];
  value = denominator;
  for (let step = 1; step <= 10_000; step++) {
    const before = value;
    const even = (step * (b - step) * x) / ((a + 2 * step - 1) * (a + 2 * step));
    const odd = (-(a + step) * (a + b + step) * x) / ((a + 2 * step) * (a + 2 * step + 1));
    for (const term of [even, odd]) {
      denominator = 1 / nonZero(1 + term * denominator);
      numerator = nonZero(1 + term / numerator);
      value *= numerator * denominator;
    }
    if (Math.abs(value - before) < 1e-14 * Math.abs(value)) break;
  }
  return (Math.exp(scale) * value) / a;
}

function nonZero(value: number): number {
  return Math.abs(value) < 1e-300 ? 1e-300 : value;
}

/** The logarithm of the gamma function of a number greater than 0: Stirling's series; source: Abramowitz and Stegun, 6.1.41. */
export function logGamma(x: number): number {
  if (x < 10) return logGamma(x + 1) - Math.log(x);
  const square = 1 / (x * x);
  const series = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / x;
  return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series;
}
