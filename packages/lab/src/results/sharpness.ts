import type { Comparison, Estimate, MeasuredRung, Results } from "./schema.ts";

/** How far a 95 % interval reaches to a side, as a share: 0.05 is "±5 %". On the scale of ratios it reaches up as many times as down. */
export function reachOf({ low, high }: Pick<Estimate, "low" | "high">): number {
  return Math.sqrt(high / low) - 1;
}

/** The figures whose verdicts a ladder can be told to sharpen; tails of latency are known too little to promise anything. */
export const sharpened = ["iops", "cpuPerIo"] as const;

/** The interval of one of them; undefined where there are too few blocks for one. */
function intervalOf(
  { ratio, verdict, costs }: Comparison,
  name: (typeof sharpened)[number],
): Estimate | undefined {
  const found = name === "iops" ? { ratio, verdict } : costs?.cpuPerIo;
  return found === undefined || found.verdict === "too few repeats" ? undefined : found.ratio;
}

/** Names of the rungs whose verdict, or that of a rung that is held against them, is not as sharp as that. */
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
