import { writeFiles } from "../results/write-files.ts";
import type { RunsComparison } from "./compare-runs.ts";
import { comparisonHtml } from "./page.ts";

/** Writes comparison.json and comparison.html into a directory (made if need be); returns their paths. */
export async function writeComparison(directory: string, comparison: RunsComparison) {
  return writeFiles(directory, {
    json: ["comparison.json", `${JSON.stringify(comparison, null, 2)}\n`],
    html: ["comparison.html", await comparisonHtml(comparison)],
  });
}
