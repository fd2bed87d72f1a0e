import type { BiggerStep, Results } from "../../results/schema.ts";
import { count, cpuTime, latency, throughput } from "../format.ts";
import { html } from "../html.ts";
import type { Section } from "../page/page.ts";
import { type Column, table } from "../page/parts.ts";

/** The bigger test, a file on XFS, with the study's figures; undefined if it was not made. */
export function biggerSection({ bigger, rungs }: Results): Section | undefined {
  if (!bigger || bigger.steps.length === 0) return undefined;
  const titles = biggerTitles({ bigger, rungs });
  return {
    id: "bigger",
    heading: "The bigger test: a file on XFS",
    short: "XFS",
    body: html`<p>On the VM of ${new Set(titles.values()).size === 1 ? "one rung" : "each of these rungs"}: siphon makes an XFS file system on the image, fills a file sequentially, then reads and writes it at random. Each step runs once, as in the study, so there are no intervals.</p>
${table("The bigger test", [{ head: "Rung", cell: (step) => titles.get(step) ?? "" }, ...columns], bigger.steps)}`,
  };
}

/** The title of each step's rung. */
export function biggerTitles({
  bigger,
  rungs,
}: Pick<Results, "bigger" | "rungs">): ReadonlyMap<BiggerStep, string> {
  const { rung: first = "", steps = [] } = bigger ?? {};
  const titleOf = (name: string) => rungs.find((rung) => rung.name === name)?.title ?? name;
  return new Map(steps.map((step) => [step, titleOf(step.rung ?? first)]));
}

const columns: Column<BiggerStep>[] = [
  { head: "Step", text: true, cell: ({ title }) => title },
  { head: "IOPS", cell: ({ run }) => count(run.iops) },
  { head: "MiB/s", cell: ({ run }) => count(run.bytesPerSecond / 2 ** 20) },
  { head: "p99", extra: true, cell: ({ run }) => latency(run.latency.p99) },
  {
    head: "CPU per I/O",
    extra: true,
    cell: ({ run: { cpu, ios } }) =>
      cpuTime(((cpu.client.user + cpu.client.system) * 1e6) / Math.max(ios, 1)),
  },
  { head: "Study", cell: studyCell, extra: true, className: "study" },
];

/** The study's throughput for the large sequential writes, else its IOPS. */
function studyCell({ name, study }: BiggerStep): string {
  if (name === "fill" || study?.iops === undefined) {
    return study?.bytesPerSecond === undefined ? "" : throughput(study.bytesPerSecond);
  }
  return `${count(study.iops)} IOPS`;
}
