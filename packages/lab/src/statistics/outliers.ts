import { mean, median } from "simple-statistics";

const threshold = 3.5;
/** With fewer values there are no outliers. */
const fewest = 5;

/**
 * For each value, whether it is more than 3.5 scaled median absolute deviations from the median (Iglewicz and Hoaglin,
 * How to Detect and Handle Outliers, 1993; if most values are equal and that deviation is 0, the mean deviation is
 * used).
 */
export function outliers(values: readonly number[]): boolean[] {
  if (values.length < fewest) return values.map(() => false);
  const center = median([...values]);
  const deviations = values.map((value) => Math.abs(value - center));
  const unit = 1.4826 * median(deviations) || 1.2533 * mean(deviations);
  return deviations.map((deviation) => unit > 0 && deviation / unit > threshold);
}
