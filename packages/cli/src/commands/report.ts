import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { readResults, writeReport, writeResults } from "@siphon/lab";
import { Command } from "commander";
import { ladderTable } from "../table.ts";

export function reportCommand(): Command {
  return new Command("report")
    .description(
      "Build the report of a finished run again from its results.json: report.html, report.md and the charts,\n" +
        "in the run's own directory unless --out names another.",
    )
    .argument("[run]", "a run's directory or its results.json", "runs/latest")
    .option("--out <dir>", "where to write the report")
    .option("--json", "print the paths written as JSON")
    .action(async (run: string, options: { out?: string; json?: boolean }) => {
      const results = await readResults(run);
      // The report links to the results beside it.
      if (options.out !== undefined) await writeResults(options.out, results);
      const files = await writeReport(options.out ?? (await directoryOf(run)), results);
      if (options.json) process.stdout.write(`${JSON.stringify(files, null, 2)}\n`);
      else process.stdout.write(`${ladderTable(results)}\n\nReport: ${files.html}\n`);
    });
}

async function directoryOf(run: string): Promise<string> {
  return (await stat(run)).isDirectory() ? run : dirname(run);
}
