import type { MeasuredRung, Results } from "../../results/schema.ts";
import { source } from "../../study/figures.ts";
import type { RenderedChart } from "../charts/render.ts";
import { type Findings, quoted, verdictInWords } from "../findings.ts";
import { count } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { Section } from "../page/page.ts";
import { figure } from "../page/parts.ts";

/** The ladder compared with the study's: each rung relative to the first. */
export function studySection(found: Findings, chart: RenderedChart): Section {
  return {
    id: "study",
    heading: "Comparison with the study",
    short: "Study",
    body: html`<p>${author()}, measured this ladder once a rung on ${source.setup.osdHosts} hosts with ${
      source.setup.osds
    } NVMe OSDs, ${source.setup.replicas} replicas and ${source.setup.network}, with Ceph ${source.setup.ceph} and QEMU ${
      source.setup.qemu
    } under KVM. Absolute figures of another machine say little here; how far a rung rises above the default can be compared.</p>
${figure(chart, "Circle: here, the median of the paired ratios with its 95 % interval. Diamond: the study, a single run.")}${blockdev(found)}${differences(found.results)}`,
  };
}

function author(): Html {
  return html`${source.author}, <a href="${source.url}">${source.title}</a> (${source.date.slice(0, 4)})`;
}

/** The study could not tell whether -blockdev and q35 matter; reports the result of these repeats. */
function blockdev({ measured, results }: Findings): Html | undefined {
  const answers = measured
    .filter(({ name }) => ["blockdev", "q35", "blockdev-q35"].includes(name))
    .map((rung) => ({ rung, words: verdictInWords(rung, results.rungs) }))
    .filter((answer): answer is { rung: MeasuredRung; words: string } => answer.words !== undefined);
  if (answers.length === 0) return undefined;
  return html`<p>The study left open whether <code>-blockdev</code> and <code>q35</code>, which it changed together, make a difference. Here: ${answers
    .map(({ rung, words }) => `${quoted(rung)}, ${words}`)
    .join("; ")}.</p>
`;
}

/** Notes for figures of the study that differ from the rung next to them. */
function differences({ rungs }: Results): Html | undefined {
  const labels = rungs.filter(({ study }) => study?.label.includes(","));
  if (labels.length === 0) return undefined;
  return html`<p>Steps for which the study’s figure belongs to a slightly different step:</p>
<ul>
${labels.map((rung) => html`<li>${quoted(rung)}: in the study ${rung.study!.label}, ${count(rung.study!.iops)} IOPS</li>\n`)}</ul>
`;
}
