import type { MeasuredRung } from "../../results/schema.ts";
import type { RenderedChart } from "../charts/render.ts";
import { type Findings, quoted } from "../findings.ts";
import { changeInterval, costMark, cpuTime, latency, percent } from "../format.ts";
import { html } from "../html.ts";
import type { Section } from "../page/page.ts";
import { type Column, figure, table } from "../page/parts.ts";

/** How long an I/O takes. */
export function latencySection({ results, measured }: Findings, chart: RenderedChart): Section {
  return {
    id: "latency",
    heading: "Latency",
    body: html`<p>Time from submission to completion as fio in the guest sees it. With ${results.workload.ioDepth} requests always in flight, IOPS and mean latency express the same thing; the tail adds information.</p>
${figure(chart, "Medians over the repeats of each percentile. In the table, change is against the rung it builds on: ▲ less, ▼ more, ≈ no significant difference.")}${table("Latency", latencyColumns, measured)}`,
  };
}

const latencyColumns: Column<MeasuredRung>[] = [
  { head: "Rung", cell: ({ title }) => title },
  { head: "Mean", extra: true, cell: ({ summary }) => latency(summary.latencyMean.median) },
  { head: "Median", cell: ({ summary }) => latency(summary.latencyP50.median) },
  { head: "change", cell: ({ comparison }) => costMark(comparison?.costs?.latencyP50) },
  { head: "p99", cell: ({ summary }) => latency(summary.latencyP99.median) },
  { head: "change", cell: ({ comparison }) => costMark(comparison?.costs?.latencyP99) },
  { head: "p99.9", extra: true, cell: ({ summary }) => latency(summary.latencyP999.median) },
  { head: "change", extra: true, cell: ({ comparison }) => costMark(comparison?.costs?.latencyP999) },
];

/** The cost of an I/O. */
export function cpuSection({ measured }: Findings): Section {
  const withoutOsds = measured.some(({ summary }) => !summary.osdCpuPerIo);
  return {
    id: "cpu",
    heading: "CPU per I/O",
    short: "CPU",
    body: html`<p>User and system time of all processes of the VM (QEMU including the guest, and siphon if it serves the disk), and of all OSD processes together, divided by the number of I/Os. If CPU is the limit, this decides how many VMs a host can carry.</p>
<p>It comes from the kernel’s accounting during the workload. Change is against the rung it builds on: ▲ less, ▼ more, ≈ no significant difference.</p>
${withoutOsds && html`<p>The CPU time of the OSDs is not visible from this host.</p>\n`}${table("CPU per I/O", cpuColumns, measured)}`,
  };
}

const cpuColumns: Column<MeasuredRung>[] = [
  { head: "Rung", cell: ({ title }) => title },
  { head: "VM", cell: ({ summary }) => cpuTime(summary.clientCpuPerIo.median) },
  { head: "change", cell: ({ comparison }) => costMark(comparison?.costs?.cpuPerIo) },
  {
    head: "its interval",
    extra: true,
    cell: ({ comparison }) =>
      comparison?.costs?.cpuPerIo ? changeInterval(comparison.costs.cpuPerIo.ratio) : "",
  },
  {
    head: "OSDs",
    cell: ({ summary: { osdCpuPerIo } }) => (osdCpuPerIo ? cpuTime(osdCpuPerIo.median) : ""),
  },
];

/** Which thread limits. */
export function threadsSection({ best }: Findings, chart: RenderedChart): Section {
  return {
    id: "threads",
    heading: "The VM’s threads",
    short: "Threads",
    body: html`<p>Percent of one core, summed over threads of the same name: those of QEMU, and of siphon if it serves the disk. A thread near 100 is saturated: it is the limit. In the study all three messenger threads (<code>msgr-worker</code>) were saturated at the top of the ladder.</p>
${figure(chart, best && busiest(best))}`,
  };
}

function busiest(best: MeasuredRung): string | undefined {
  const [first] = Object.entries(best.summary.threads).toSorted(([, a], [, b]) => b - a);
  if (!first) return undefined;
  const [name, load] = first;
  return `At the best rung, ${quoted(best)}, the busiest is ${name} with ${percent(load)} of a core.`;
}
