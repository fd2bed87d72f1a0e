import { chartsOf } from "../../report/sections/curves.ts";
import { type ReportFiles, writePages } from "../../report/write.ts";
import type { BaselineResults } from "../results.ts";
import { drawBaselineCharts } from "./charts.ts";
import { baselineMarkdown } from "./markdown.ts";
import { baselineHtml } from "./page.ts";

/**
 * Writes a baseline's report into a directory: report.html, report.md and the charts.
 *
 * @throws LabError when it cannot
 */
export async function writeBaselineReport(directory: string, results: BaselineResults): Promise<ReportFiles> {
  const charts = await drawBaselineCharts(results);
  const { curves, ...others } = charts;
  return writePages(directory, {
    html: baselineHtml(results, charts),
    markdown: baselineMarkdown(results, charts),
    charts: [...Object.values(others).filter((chart) => chart !== undefined), ...chartsOf(curves)],
  });
}
