import { quietOf } from "../results/quiet.ts";
import type { Results, RungResult } from "../results/schema.ts";
import { costsInWords, type Findings, headline, qualification, verdictInWords } from "./findings.ts";
import {
  change,
  costMark,
  count,
  cpuTime,
  dateTime,
  interval,
  latency,
  throughput,
  times,
} from "./format.ts";
import type { LadderCharts } from "./ladder-report.ts";
import { fenced, picture, tableOf, text } from "./markdown-parts.ts";
import { quietInWords } from "./quiet-words.ts";
import { biggerTitles } from "./sections/bigger.ts";
import { curvesBlocks } from "./sections/curves.ts";
import { workloadInWords } from "./sections/ladder.ts";
import { emulated, warnings } from "./sections/overview.ts";
import { repeatCommand, setupGroups } from "./sections/setup.ts";

/** The report of a ladder in Markdown, with the charts as pictures beside it. */
export function ladderMarkdown(found: Findings, charts: LadderCharts): string {
  const { results } = found;
  const quiet = quietOf(results);
  const blocks = [
    `# ${text(headline(found))}`,
    `${text(qualification(found) ?? "")}`,
    ...warnings(results).map((warning) => `> ${text(warning)}`),
    ...(results.accelerator.name === "tcg"
      ? [`> ${text(emulated(results.accelerator.reason).join(" "))}`]
      : []),
    text(workloadInWords(results)),
    picture(charts.ladder),
    ladderTable(found),
    ...[charts.factors, charts.latency, charts.cpu, charts.threads].flatMap((chart) =>
      chart ? [`## ${text(chart.title)}`, picture(chart)] : [],
    ),
    ...curvesBlocks(charts.curves),
    "## Rung by rung",
    ...results.rungs.flatMap((rung) => rungBlocks(rung, results)),
    ...biggerBlocks(results),
    "## Machine, versions, settings",
    ...setupGroups(results).map(({ title, settings }) =>
      tableOf(
        [title, ""],
        settings.map(({ name, value }) => [name, value]),
      ),
    ),
    ...(quiet ? ["## How quiet the machine was", text(quietInWords(quiet).join(" "))] : []),
    "## Measure it again",
    fenced(repeatCommand(results)),
    text(`Made by siphon ${results.siphon}, ${dateTime(results.started)}.`),
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

function ladderTable({ results, here, study }: Findings): string {
  const rows = results.rungs.map((rung) => {
    const reference = rung.study ? [count(rung.study.iops)] : [""];
    const factors = [factor(here.get(rung.name)?.median), ...reference, factor(study.get(rung.name))];
    if (rung.status !== "measured") return [rung.title, rung.status, "", "", "", "", "", "", "", ...factors];
    const { summary, comparison } = rung;
    return [
      rung.title,
      count(summary.iops.median),
      interval(summary.iops),
      comparison ? `${change(comparison.ratio.median)}, ${comparison.verdict}` : "",
      latency(summary.latencyMean.median),
      latency(summary.latencyP99.median),
      costMark(comparison?.costs?.latencyP99),
      cpuTime(summary.clientCpuPerIo.median),
      costMark(comparison?.costs?.cpuPerIo),
      ...factors,
    ];
  });
  const heads = [
    "Rung",
    "IOPS",
    "95 % interval",
    "Change",
    "Mean",
    "p99",
    "Change",
    "VM CPU per I/O",
    "Change",
    "Factor",
  ];
  return tableOf([...heads, "Study: IOPS", "Factor"], rows);
}

function factor(ratio: number | undefined): string {
  return ratio === undefined ? "" : times(ratio);
}

function rungBlocks(rung: RungResult, { rungs }: Results): string[] {
  const head = [`### ${text(rung.title)}`, text(rung.why)];
  if (rung.status !== "measured") return [...head, text(`${rung.status}: ${rung.reason}`)];
  return [
    ...head,
    text([verdictInWords(rung, rungs), costsInWords(rung)].filter(Boolean).join("; ")),
    text(rung.note ?? ""),
    fenced(rung.command),
  ];
}

function biggerBlocks({ bigger, rungs }: Results): string[] {
  if (!bigger) return [];
  const titles = biggerTitles({ bigger, rungs });
  const rows = bigger.steps.map((step) => {
    const { title, run, study } = step;
    return [
      titles.get(step) ?? "",
      title,
      count(run.iops),
      throughput(run.bytesPerSecond),
      latency(run.latency.p99),
      study?.iops === undefined ? "" : count(study.iops),
      study?.bytesPerSecond === undefined ? "" : throughput(study.bytesPerSecond),
    ];
  });
  const heads = ["Rung", "Step", "IOPS", "Throughput", "p99", "Study: IOPS", "Throughput"];
  return ["## The bigger test: a file on XFS", tableOf(heads, rows)];
}
