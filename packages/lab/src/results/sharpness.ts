import type { Comparison, Estimate, MeasuredRung, Results } from "./schema.ts";

/** Half-width of a 95 % interval as a share: 0.05 is "±5 %". On the scale of ratios it is symmetric by factors. */
export function reachOf({ low, high }: Pick<Estimate, "low" | "high">): number {
  return Math.sqrt(high / low) - 1;
}

/** The figures whose sharpness can be requested; tails of latency vary too much. */
export const sharpened = ["iops", "cpuPerIo"] as const;

/** The interval of a figure; undefined with too few blocks. */
function intervalOf(
  { ratio, verdict, costs }: Comparison,
  name: (typeof sharpened)[number],
): Estimate | undefined {
  const found = name === "iops" ? { ratio, verdict } : costs?.cpuPerIo;
  return found === undefined || found.verdict === "too few repeats" ? undefined : found.ratio;
}

/** Names of the rungs whose verdict, or the verdict of a rung compared with them, is less sharp than this. */
export function bluntRungs({ rungs }: Pick<Results, "rungs">, reach: number): Set<string> {
  const measured = rungs.filter((rung): rung is MeasuredRung => rung.status === "measured");
  const blunt = measured.flatMap(({ name, comparison }) => {
    if (!comparison) return [];
    const sharp = sharpened.every((figure) => {
      const interval = intervalOf(comparison, figure);
      return interval !== undefined && reachOf(interval) <= reach;
    });
    return sharp ? [] : [name, comparison.against];
  });
  return new Set(blunt);
}
