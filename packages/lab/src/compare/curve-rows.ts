import type { CurvePoint, Run } from "../results/schema.ts";
import type { ComparableRow } from "./comparable.ts";

/** A rung or a cell, and a row for each point of its curves: both are compared alike. */
export function withCurveRows(row: ComparableRow): ComparableRow[] {
  if (row.status !== "measured") return [row];
  const first = row.runs.find(({ points }) => points !== undefined)?.points ?? [];
  const points = first.map(({ mix, depth }): ComparableRow => {
    const runs = row.runs.flatMap((run) => {
      const point = run.points?.find((each) => each.mix === mix && each.depth === depth);
      return point ? [runOf(run, point)] : [];
    });
    const [name, title] = [row.name, row.title].map((text) => `${text}, ${mix} at depth ${depth}`);
    return { name: name!, title: title!, point: true, status: "measured", runs };
  });
  return [row, ...points.toSorted((a, b) => a.title.localeCompare(b.title, "en", { numeric: true }))];
}

function runOf({ slices, points, ...run }: Run, point: CurvePoint): Run {
  const { seconds, ios, iops, latency, cpu, osds } = point;
  const seen = (all: number) => ({ user: all, system: 0, threads: {} });
  return {
    ...run,
    ...{ seconds, ios, iops, latency },
    bytesPerSecond: (run.bytesPerSecond / run.iops) * iops,
    cpu: { client: seen(cpu), ...(osds !== undefined && { osds: seen(osds) }) },
  };
}
