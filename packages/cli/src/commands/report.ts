import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import {
  type ReportFiles,
  readBaselineResults,
  readDensityResults,
  readResults,
  runKind,
  writeBaselineReport,
  writeBaselineResults,
  writeDensityReport,
  writeDensityResults,
  writeReport,
  writeResults,
} from "@siphon/lab";
import { Command } from "commander";
import { baselineTable } from "../baseline-table.ts";
import { densityTable } from "../density-table.ts";
import { ladderTable } from "../table.ts";

/** The files of a rebuilt report, and the run's table for the terminal. */
interface Rebuilt {
  files: ReportFiles;
  table: string;
}

export function reportCommand(): Command {
  return new Command("report")
    .description(
      "Rebuild the report of a finished run from its results.json: report.html, report.md and the charts,\n" +
        "in the run's own directory unless --out names another. The run may be a ladder's, a baseline's or a density run.",
    )
    .argument("[run]", "a run's directory or its results.json", "runs/latest")
    .option("--out <dir>", "directory for the report")
    .option("--json", "print the paths written as JSON")
    .action(async (run: string, options: { out?: string; json?: boolean }) => {
      const rebuild = { ladder: ladderAgain, baseline: baselineAgain, density: densityAgain };
      const { files, table } = await rebuild[await runKind(run)](run, options.out);
      if (options.json) process.stdout.write(`${JSON.stringify(files, null, 2)}\n`);
      else process.stdout.write(`${table}\n\nReport: ${files.html}\n`);
    });
}

async function ladderAgain(run: string, out: string | undefined): Promise<Rebuilt> {
  const results = await readResults(run);
  // The report links to the results, so they have to be beside it.
  if (out !== undefined) await writeResults(out, results);
  return { files: await writeReport(out ?? (await directoryOf(run)), results), table: ladderTable(results) };
}

async function baselineAgain(run: string, out: string | undefined): Promise<Rebuilt> {
  const results = await readBaselineResults(run);
  if (out !== undefined) await writeBaselineResults(out, results);
  const files = await writeBaselineReport(out ?? (await directoryOf(run)), results);
  return { files, table: baselineTable(results) };
}

async function densityAgain(run: string, out: string | undefined): Promise<Rebuilt> {
  const results = await readDensityResults(run);
  if (out !== undefined) await writeDensityResults(out, results);
  const files = await writeDensityReport(out ?? (await directoryOf(run)), results);
  return { files, table: densityTable(results) };
}

async function directoryOf(run: string): Promise<string> {
  return (await stat(run)).isDirectory() ? run : dirname(run);
}
