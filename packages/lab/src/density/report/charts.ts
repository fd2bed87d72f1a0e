import { drawLines } from "../../report/charts/lines.ts";
import { type Chart, type RenderedChart, renderChart } from "../../report/charts/render.ts";
import { bytes, count, cpuTime, latency } from "../../report/format.ts";
import type { Estimate } from "../../results/schema.ts";
import type { DensityResults, MeasuredDensity } from "../results.ts";
import { densityWays } from "../ways.ts";

/** A figure of so many VMs, as charts and tables have it. */
interface DensityFigure {
  name: string;
  title: string;
  /** The unit of the y axis. */
  unit: string;
  of: (summary: MeasuredDensity["summary"]) => Estimate;
  /** Divided by this on the axis. */
  scale: number;
  inWords: (value: number) => string;
}

export const densityFigures = [
  {
    name: "iops",
    title: "IOPS of all VMs together",
    unit: "",
    of: ({ iops }) => iops,
    scale: 1,
    inWords: count,
  },
  {
    name: "p99",
    title: "p99 latency, median over VMs",
    unit: "ms",
    of: ({ latencyP99 }) => latencyP99,
    scale: 1000,
    inWords: latency,
  },
  {
    name: "cpu",
    title: "CPU per I/O",
    unit: "µs",
    of: ({ clientCpuPerIo }) => clientCpuPerIo,
    scale: 1,
    inWords: cpuTime,
  },
  {
    name: "memory",
    title: "Memory per VM (PSS)",
    unit: "MiB",
    of: ({ memory }) => memory,
    scale: 2 ** 20,
    inWords: bytes,
  },
] as const satisfies DensityFigure[];

export async function drawDensityCharts({ cells }: DensityResults): Promise<RenderedChart[]> {
  const measured = cells.filter((cell): cell is MeasuredDensity => cell.status === "measured");
  if (measured.length === 0) return [];
  return Promise.all(densityFigures.map((figure) => renderChart(chartOf(figure, measured))));
}

function chartOf({ name, title, unit, of, scale, inWords }: DensityFigure, cells: MeasuredDensity[]): Chart {
  const described = cells.map((cell) => `${cell.title} ${inWords(of(cell.summary).median)}`);
  const ways = densityWays.filter((way) => cells.some((cell) => cell.way === way.name));
  const ticks = [...new Set(cells.map(({ vms }) => vms))].toSorted((a, b) => a - b);
  const lines = ways.map((way) => ({
    title: way.title,
    points: cells
      .filter((cell) => cell.way === way.name)
      .toSorted((a, b) => a.vms - b.vms)
      .map(({ vms, summary }) => {
        const { median, low, high } = of(summary);
        const x = { median: vms, low: vms, high: vms };
        return { x, y: { median: median / scale, low: low / scale, high: high / scale } };
      }),
  }));
  return {
    name: `density-${name}`,
    title,
    description: `${described.join("; ")}.`,
    draw: (format) =>
      drawLines(
        lines,
        {
          x: { title: "VMs under load (both scales are logarithmic)", ticks },
          y: { title: unit === "" ? title : `${title}, ${unit}` },
        },
        format,
      ),
  };
}
