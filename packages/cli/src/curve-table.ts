import { type Curve, format } from "@siphon/lab";
import { plainTable } from "./plain-table.ts";

type Point = Curve["points"][number];

/** Columns of a point. A narrow terminal shows only the first ones. */
const columns: { head: string; cell: (point: Point) => string }[] = [
  { head: "IOPS", cell: ({ iops }) => format.count(iops.median) },
  { head: "p99", cell: ({ latencyP99 }) => format.latency(latencyP99.median) },
  { head: "CPU per I/O", cell: ({ clientCpuPerIo }) => format.cpuTime(clientCpuPerIo.median) },
  { head: "median", cell: ({ latencyP50 }) => format.latency(latencyP50.median) },
  { head: "IOPS, 95 % interval", cell: ({ iops }) => format.interval(iops) },
];

/** The points of response curves, as wide as the terminal, and the definition of a knee; undefined without curves. */
export function curveTable(
  all: readonly { title: string; curves?: readonly Curve[] }[],
  width = Number.POSITIVE_INFINITY,
): string | undefined {
  if (all.every(({ curves = [] }) => curves.length === 0)) return undefined;
  for (let shown = columns.length; ; shown--) {
    const table = draw(all, columns.slice(0, shown));
    const fits = table.split("\n").every((line) => line.length <= width);
    if (fits || shown === 1)
      return `${table}\nknee: the depth with the highest ratio of IOPS to mean latency`;
  }
}

function draw(all: Parameters<typeof curveTable>[0], shown: typeof columns): string {
  const rows = all.flatMap(({ title, curves = [] }) =>
    curves.flatMap(({ mix, points, knee }) =>
      points.map((point, index) => [
        index === 0 ? `${title}, ${mix}` : "",
        point.depth === knee?.depth ? `knee ${point.depth}` : `${point.depth}`,
        ...shown.map(({ cell }) => cell(point)),
      ]),
    ),
  );
  return plainTable(["curve", "depth", ...shown.map(({ head }) => head)], rows);
}
