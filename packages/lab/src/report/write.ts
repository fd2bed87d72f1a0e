import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unwritable } from "../results/file.ts";
import type { Results } from "../results/schema.ts";
import type { RenderedChart } from "./charts/render.ts";
import { findings } from "./findings.ts";
import { drawLadderCharts, ladderHtml } from "./ladder-report.ts";
import { ladderMarkdown } from "./markdown.ts";
import { chartsOf } from "./sections/curves.ts";

/** Paths of a report's files. */
export interface ReportFiles {
  html: string;
  markdown: string;
  /** One SVG per chart. */
  charts: string[];
}

/**
 * Writes a ladder's report into a directory: report.html, report.md and the charts.
 *
 * @throws LabError when it cannot
 */
export async function writeReport(directory: string, results: Results): Promise<ReportFiles> {
  const found = findings(results);
  const charts = await drawLadderCharts(found);
  const { curves, ...others } = charts;
  const drawn = [...Object.values(others).filter((chart) => chart !== undefined), ...chartsOf(curves)];
  return writePages(directory, {
    html: ladderHtml(found, charts),
    markdown: ladderMarkdown(found, charts),
    charts: drawn,
  });
}

/**
 * Writes a report's pages and charts into a directory, which it creates if necessary.
 *
 * @throws LabError when it cannot
 */
export async function writePages(
  directory: string,
  { html, markdown, charts }: { html: string; markdown: string; charts: RenderedChart[] },
): Promise<ReportFiles> {
  await attempt(directory, () => mkdir(directory, { recursive: true }));
  const write = async (name: string, content: string) => {
    const path = join(directory, name);
    await attempt(path, () => writeFile(path, content));
    return path;
  };
  return {
    html: await write("report.html", html),
    markdown: await write("report.md", markdown),
    charts: await Promise.all(charts.map(({ name, file }) => write(`${name}.svg`, file))),
  };
}

async function attempt(path: string, action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (cause) {
    throw unwritable(path, cause);
  }
}
