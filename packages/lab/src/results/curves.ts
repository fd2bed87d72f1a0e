import { estimateMedian } from "../statistics/estimate.ts";
import type { Curve, CurvePoint, Run } from "./schema.ts";

/**
 * The response curves over all repeats: a median and its 95 % interval at each point. Undefined if none was measured.
 */
export function curvesOf(runs: readonly Pick<Run, "points">[]): Curve[] | undefined {
  const measured = runs.flatMap(({ points }) => points ?? []);
  if (measured.length === 0) return undefined;
  return [...Map.groupBy(measured, ({ mix }) => mix)].map(([mix, points]) => {
    const depths = [...Map.groupBy(points, ({ depth }) => depth)].toSorted(([a], [b]) => a - b);
    const repeats = runs.map((run) => (run.points ?? []).filter((point) => point.mix === mix));
    return {
      mix,
      points: depths.map(([depth, same]) => ({ depth, ...figuresOf(same) })),
      knee: kneeOf(repeats),
    };
  });
}

function figuresOf(points: readonly CurvePoint[]): Omit<Curve["points"][number], "depth"> {
  // Many figures of a few values each: a quarter of the usual resamples suffices.
  const over = (figure: (point: CurvePoint) => number) =>
    estimateMedian(points.map(figure), { resamples: 1000 });
  const perIo = (seconds: number, ios: number) => (seconds * 1e6) / Math.max(1, ios);
  return {
    iops: over(({ iops }) => iops),
    latencyMean: over(({ latency }) => latency.mean),
    latencyP50: over(({ latency }) => latency.p50),
    latencyP99: over(({ latency }) => latency.p99),
    clientCpuPerIo: over(({ cpu, ios }) => perIo(cpu, ios)),
    ...(points.every(({ osds }) => osds !== undefined) && {
      osdCpuPerIo: over(({ osds, ios }) => perIo(osds!, ios)),
    }),
  };
}

/**
 * The knee of a curve: the depth at which IOPS divided by mean latency, the curve's *power*, is greatest. Up to the
 * knee more requests in flight mainly increase IOPS, beyond it latency. If IOPS first grow linearly with the depth and
 * then stay constant, the knee is the intersection of the two lines. Source: L. Kleinrock, Power and deterministic
 * rules of thumb for probabilistic problems in computer communications (ICC 1979).
 *
 * Each repeat has its own knee; the most frequent one counts, the lower in a tie. Undefined below three depths, and if
 * the knee is at the first or last depth, because a knee needs points on both sides.
 */
function kneeOf(repeats: readonly (readonly CurvePoint[])[]): Curve["knee"] {
  const depths = [...new Set(repeats.flatMap((points) => points.map(({ depth }) => depth)))].toSorted(
    (a, b) => a - b,
  );
  const whole = repeats.filter((points) => points.length === depths.length);
  if (depths.length < 3 || whole.length === 0) return undefined;
  const best = whole.map((points) => points.reduce((a, b) => (powerOf(b) > powerOf(a) ? b : a)).depth);
  const votes = depths.map((depth) => ({ depth, repeats: best.filter((each) => each === depth).length }));
  const knee = votes.reduce((a, b) => (b.repeats > a.repeats ? b : a));
  const open = (knee.depth === depths[0] && knee.depth > 1) || knee.depth === depths.at(-1);
  return open ? undefined : { ...knee, of: whole.length };
}

function powerOf({ iops, latency }: CurvePoint): number {
  return latency.mean > 0 ? iops / latency.mean : 0;
}
