import type { Slice } from "../statistics/slices.ts";
import type { Run } from "./schema.ts";
import { cpuPerIo } from "./summarize.ts";

/** A figure of a run that rungs and runs are compared by. */
export interface Figure {
  /** Whether a higher value is better. */
  moreIsBetter: boolean;
  of: (run: Run) => number;
  /** The figure of one slice of the run; latency is known only for the whole run. */
  ofSlice?: (slices: NonNullable<Run["slices"]>, at: number) => number;
}

/** The figures by which every rung is compared. */
export const figures = {
  iops: {
    moreIsBetter: true,
    of: ({ iops }) => iops,
    ofSlice: ({ ios, seconds }, at) => ios[at] / seconds[at],
  },
  cpuPerIo: {
    moreIsBetter: false,
    of: ({ cpu, ios }) => cpuPerIo(cpu.client, ios),
    ofSlice: ({ cpu, ios }, at) => (ios[at] > 0 ? cpu[at] / ios[at] : 0),
  },
  latencyP50: { moreIsBetter: false, of: ({ latency }) => latency.p50 },
  latencyP99: { moreIsBetter: false, of: ({ latency }) => latency.p99 },
  latencyP999: { moreIsBetter: false, of: ({ latency }) => latency.p999 },
} satisfies Record<string, Figure>;

export type FigureName = keyof typeof figures;

export const figureNames = Object.keys(figures) as FigureName[];

/** The slices of a run with one figure; undefined without slices. */
export function slicesOf({ slices }: Pick<Run, "slices">, name: FigureName): Slice[] | undefined {
  const { ofSlice }: Figure = figures[name];
  if (!slices || !ofSlice) return undefined;
  return bestSlices(slices).map((at) => ({
    ...{ round: slices.round[at], way: slices.way[at] === 0 ? 0 : 1 },
    figure: ofSlice(slices, at),
    machine: [slices.calibration[at], slices.distance?.[at]],
  }));
}

/** Signs of disturbance in a slice. */
export interface Disturbances {
  /** Shares of all processors used by other programs and other machines. */
  foreign: number;
  steal: number;
  /** Thermal throttling events. */
  throttled?: number;
}

/** A score of the disturbance, to choose the better of two slices: thermal throttling is worse than other load. */
export function disturbance({ foreign, steal, throttled = 0 }: Disturbances): number {
  return foreign + steal + (throttled > 0 ? 1 : 0);
}

/** Indices of the slices that count: of a repeated slice, the least disturbed one. */
export function bestSlices({
  round,
  way,
  foreign,
  steal,
  throttled,
}: Pick<NonNullable<Run["slices"]>, "round" | "way" | "foreign" | "steal" | "throttled">): number[] {
  const others = (at: number) =>
    disturbance({ foreign: foreign[at], steal: steal[at], throttled: throttled?.[at] });
  const best = new Map<string, number>();
  for (const at of round.keys()) {
    const place = `${round[at]} ${way[at]}`;
    const other = best.get(place);
    if (other === undefined || others(at) < others(other)) best.set(place, at);
  }
  return [...best.values()];
}
