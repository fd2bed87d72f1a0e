import type { BiggerStep, Results } from "../../results/schema.ts";
import { quoted } from "../findings.ts";
import { count, cpuTime, latency, throughput } from "../format.ts";
import { html } from "../html.ts";
import type { Section } from "../page/page.ts";
import { type Column, table } from "../page/parts.ts";

/** The study's bigger test, a file on XFS, beside the study's figures; undefined when it was not made. */
export function biggerSection({ bigger, rungs }: Results): Section | undefined {
  if (!bigger || bigger.steps.length === 0) return undefined;
  const rung = rungs.find(({ name }) => name === bigger.rung) ?? { title: bigger.rung };
  return {
    id: "bigger",
    heading: "The bigger test: a file on XFS",
    short: "XFS",
    body: html`<p>On the VM of ${quoted(rung)}: an XFS file system is made on the image, a file filled in order, then read and written at random. One run a step, as in the study, so without intervals.</p>
${table("The bigger test", columns, bigger.steps)}`,
  };
}

const columns: Column<BiggerStep>[] = [
  { head: "Step", cell: ({ title }) => title },
  { head: "IOPS", cell: ({ run }) => count(run.iops) },
  { head: "Throughput", cell: ({ run }) => throughput(run.bytesPerSecond) },
  { head: "p99", cell: ({ run }) => latency(run.latency.p99) },
  {
    head: "CPU per I/O",
    extra: true,
    cell: ({ run: { cpu, ios } }) =>
      cpuTime(((cpu.client.user + cpu.client.system) * 1e6) / Math.max(ios, 1)),
  },
  {
    head: "Study’s IOPS",
    cell: ({ study }) => (study?.iops === undefined ? "" : count(study.iops)),
    extra: true,
    className: "study",
  },
  {
    head: "Throughput",
    cell: ({ study }) => (study?.bytesPerSecond === undefined ? "" : throughput(study.bytesPerSecond)),
    extra: true,
    className: "study",
  },
];
