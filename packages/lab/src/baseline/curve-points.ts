import { join } from "node:path";
import type { CurveLoad } from "../load/curve-options.ts";
import type { CurvePoint } from "../results/schema.ts";
import type { PlannedCell } from "./cells.ts";
import type { Load, LoadHooks } from "./engine.ts";

/** Measures the points of a cell's curves, one run of fio each, as long as the cell's run; `repeat` counts from 0. */
export async function measureCurves(
  { name, target, through }: Pick<PlannedCell, "name" | "target" | "through">,
  points: readonly CurveLoad[],
  load: Load,
  { repeat, ...hooks }: Pick<LoadHooks, "directory" | "signal"> & { repeat: number },
): Promise<CurvePoint[]> {
  const measured: CurvePoint[] = [];
  for (const { mix, depth, job } of repeat % 2 === 1 ? points.toReversed() : points) {
    const file = join("fio", `${name}-${repeat + 1}-${mix.replace("/", "-")}-${depth}.json`);
    const run = await through.load(target, { ...load, ...job }, { ...hooks, file });
    const { seconds, ios, iops, latency, cpu } = run;
    measured.push({
      ...{ mix, depth, seconds, ios, iops, latency },
      cpu: cpu.client.user + cpu.client.system,
      ...(cpu.osds && { osds: cpu.osds.user + cpu.osds.system }),
    });
  }
  return measured;
}
