import { type ReportFiles, writePages } from "../../report/write.ts";
import type { DensityResults } from "../results.ts";
import { drawDensityCharts } from "./charts.ts";
import { densityHtml, densityMarkdown } from "./page.ts";

/**
 * Writes the report of a density run into a directory: report.html, report.md and the charts.
 *
 * @throws LabError when it cannot
 */
export async function writeDensityReport(directory: string, results: DensityResults): Promise<ReportFiles> {
  const charts = await drawDensityCharts(results);
  return writePages(directory, {
    html: densityHtml(results, charts),
    markdown: densityMarkdown(results, charts),
    charts,
  });
}
