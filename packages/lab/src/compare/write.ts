import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unwritable } from "../results/file.ts";
import type { RunsComparison } from "./compare-runs.ts";
import { comparisonHtml } from "./page.ts";

/** Writes comparison.json and comparison.html into a directory (made if need be); returns their paths. */
export async function writeComparison(
  directory: string,
  comparison: RunsComparison,
): Promise<{ json: string; html: string }> {
  const files = { json: join(directory, "comparison.json"), html: join(directory, "comparison.html") };
  try {
    await mkdir(directory, { recursive: true });
    await writeFile(files.json, `${JSON.stringify(comparison, null, 2)}\n`);
    await writeFile(files.html, await comparisonHtml(comparison));
  } catch (cause) {
    throw unwritable(directory, cause);
  }
  return files;
}
