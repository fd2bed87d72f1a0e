import type { Slice } from "../statistics/slices.ts";
import type { Run } from "./schema.ts";
import { cpuPerIo } from "./summarize.ts";

/** A figure of a run that rungs and runs are compared by. */
export interface Figure {
  /** Whether more of it is better. */
  moreIsBetter: boolean;
  of: (run: Run) => number;
  /** The same of one of the run's slices; latency is known only of the run. */
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

/** The slices of a run with one of its figures; undefined where it has none. */
export function slicesOf({ slices }: Pick<Run, "slices">, name: FigureName): Slice[] | undefined {
  const { ofSlice }: Figure = figures[name];
  if (!slices || !ofSlice) return undefined;
  return bestSlices(slices).map((at) => ({
    ...{ round: slices.round[at], way: slices.way[at] === 0 ? 0 : 1 },
    figure: ofSlice(slices, at),
    machine: [slices.calibration[at], slices.distance?.[at]],
  }));
}

/** Signs that something else than the load is in a slice's figures. */
export interface Disturbances {
  /** Shares of all processors that other programs and other machines used. */
  foreign: number;
  steal: number;
  /** Times that a processor was slowed down for heat. */
  throttled?: number;
}

/** How much a slice was disturbed, to tell the better of two: a processor that was slowed down for heat is worse than company. */
export function disturbance({ foreign, steal, throttled = 0 }: Disturbances): number {
  return foreign + steal + (throttled > 0 ? 1 : 0);
}

/** The places of the slices that count: of one that was made again, the one during which the machine had the least else to do. */
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
