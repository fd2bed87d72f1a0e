import { median, numericSort, quantileSorted } from "simple-statistics";
import { bestSlices, type Disturbances } from "./figures.ts";
import type { Results, Run } from "./schema.ts";

/** If others use more than this share of all processors, a slice counts as disturbed and is repeated. */
export const foreignLimit = 0.1;

/** Whether other programs or heat disturbed a slice, which is then repeated. */
export function isDisturbed({ foreign, steal, throttled = 0 }: Disturbances): boolean {
  return foreign + steal > foreignLimit || throttled > 0;
}

/** Disturbances during the slices. Shares are of all processors. */
export interface Quiet {
  slices: number;
  /** Slices that were repeated because of disturbance. */
  again: number;
  /** Disturbed slices that count. */
  disturbed: number;
  /** VMs that hung, that crashed, or whose clock ran wrong, and that were booted again. */
  bootedAgain: number;
  /** CPU time of other programs. */
  foreign: { middle: number; most: number };
  /** CPU time used by other machines on the same host. */
  steal: { middle: number; most: number };
  /** Deviation of the processor's speed from its median: the 5th and 95th percentile, as shares. */
  speed: { slow: number; fast: number };
  /** Nanoseconds from one processor to another and back: in the nearest and the furthest twentieth, and the middle slice; missing if never seen. */
  distance?: { near: number; middle: number; far: number };
  /** The host's sensors; unavailable ones are undefined. */
  host: {
    mhz?: { least: number; middle: number; most: number };
    /** The hottest. */
    celsius?: number;
    /** Slices with thermal throttling. */
    throttled?: number;
    /** Share of new pages from another NUMA node, median over the slices. */
    remote?: number;
  };
}

/** Undefined without slices. */
export function quietOf({ rungs }: Pick<Results, "rungs">): Quiet | undefined {
  const runs = rungs.flatMap((rung) => (rung.status === "measured" ? rung.runs : []));
  const tables = runs.flatMap(({ slices }) => slices ?? []);
  const [foreign, steal] = [tables.flatMap((table) => table.foreign), tables.flatMap((table) => table.steal)];
  if (foreign.length === 0) return undefined;
  const counted = tables.map((table) => ({ table, best: bestSlices(table) }));
  const wasDisturbed = ({ table, at }: { table: (typeof tables)[number]; at: number }) =>
    isDisturbed({ foreign: table.foreign[at], steal: table.steal[at], throttled: table.throttled?.[at] });
  const took = numericSort(tables.flatMap(({ calibration }) => calibration));
  const middle = quantileSorted(took, 0.5);
  const distances = numericSort(tables.flatMap(({ distance = [] }) => distance.filter((each) => each > 0)));
  const distanceAt = (share: number) => quantileSorted(distances, share);
  return {
    slices: foreign.length,
    again: foreign.length - counted.reduce((sum, { best }) => sum + best.length, 0),
    disturbed: counted.flatMap(({ table, best }) => best.map((at) => ({ table, at }))).filter(wasDisturbed)
      .length,
    bootedAgain: runs.filter((run) => run.bootedAgain !== undefined).length,
    foreign: { middle: median(foreign), most: Math.max(...foreign) },
    steal: { middle: median(steal), most: Math.max(...steal) },
    speed: {
      slow: middle / quantileSorted(took, 0.95) - 1,
      fast: middle / quantileSorted(took, 0.05) - 1,
    },
    ...(distances.length > 0 && {
      distance: { near: distanceAt(0.05), middle: distanceAt(0.5), far: distanceAt(0.95) },
    }),
    host: shownBy(tables),
  };
}

function shownBy(tables: readonly NonNullable<Run["slices"]>[]): Quiet["host"] {
  const all = (name: "mhz" | "celsius" | "throttled" | "remote") =>
    tables.flatMap((table) => table[name] ?? []);
  const [mhz, celsius, throttled, remote] = [all("mhz"), all("celsius"), all("throttled"), all("remote")];
  return {
    ...(mhz.length > 0 && {
      mhz: { least: Math.min(...mhz), middle: median(mhz), most: Math.max(...mhz) },
    }),
    ...(celsius.length > 0 && { celsius: Math.max(...celsius) }),
    ...(throttled.length > 0 && { throttled: throttled.filter((times) => times > 0).length }),
    ...(remote.length > 0 && { remote: median(remote) }),
  };
}
