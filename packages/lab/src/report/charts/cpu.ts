import type { Estimate, MeasuredRung } from "../../results/schema.ts";
import type { Findings } from "../findings.ts";
import { cpuTime } from "../format.ts";
import { type BarSeries, drawBars } from "./bars.ts";
import type { Chart, Drawing } from "./render.ts";
import type { Format } from "./rows.ts";

/** CPU time per I/O by rung: all processes of the VM, and all OSDs if they are visible. */
export function cpuChart({ measured }: Pick<Findings, "measured">): Chart | undefined {
  if (measured.length === 0) return undefined;
  const described = measured.map(({ title, summary: { clientCpuPerIo, osdCpuPerIo } }) => {
    const osds = osdCpuPerIo ? `, OSDs ${cpuTime(osdCpuPerIo.median)}` : "";
    return `${title}: VM ${cpuTime(clientCpuPerIo.median)}${osds}`;
  });
  return {
    name: "cpu",
    title: "CPU time per I/O by rung",
    description: `${described.join("; ")}.`,
    draw: (format) => draw(measured, format),
  };
}

function draw(rungs: MeasuredRung[], format: Format): Drawing {
  const withOsds = rungs.some(({ summary }) => summary.osdCpuPerIo);
  const bar = (estimate: Estimate | undefined) => estimate && { ...estimate, text: cpuTime(estimate.median) };
  const rows = rungs.map(({ title, summary: { clientCpuPerIo, osdCpuPerIo } }) => ({
    title,
    bars: [bar(clientCpuPerIo), ...(withOsds ? [bar(osdCpuPerIo)] : [])],
  }));
  const series: BarSeries[] = [
    { text: "VM", role: "accent" },
    ...(withOsds ? [{ text: "all OSDs together", role: "second" } as const] : []),
  ];
  const axis = "microseconds of CPU (user and system) per I/O, with 95 % interval";
  return drawBars(rows, series, { axis, legendWidth: 80 }, format);
}
