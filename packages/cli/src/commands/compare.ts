import {
  changeCell,
  compareRuns,
  comparisonSentences,
  comparisonWarnings,
  datedDirectory,
  differenceName,
  judge,
  LabError,
  metricNames,
  metrics,
  nounOf,
  type RunsComparison,
  readComparable,
  writeComparison,
} from "@siphon/lab";
import { Command } from "commander";
import { plainTable } from "../table.ts";

interface Flags {
  failIfSlower?: string;
  out: string;
  json?: boolean;
}

export function compareCommand(): Command {
  return new Command("compare")
    .description(
      "Hold runs of the ladder, or of a baseline, against the first one named: IOPS, p99 latency and CPU per I/O\n" +
        "of every rung or cell, with verdicts by the same statistics. Says what else differs between the runs.",
    )
    .argument("<runs...>", "two or more runs: their directories, or their results.json")
    .option(
      "--fail-if-slower <percent>",
      "exit with 1 when a rung of a later run is slower by more than that, its whole 95 % interval, or failed",
    )
    .option("--out <dir>", "where comparisons are written, each in a directory of its own", "comparisons")
    .option("--json", "print the comparison as JSON")
    .action(compareAll);
}

async function compareAll(paths: string[], flags: Flags): Promise<void> {
  if (paths.length < 2) {
    throw new LabError("SIPHON_USAGE", "one run alone cannot be compared", {
      hint: "name two or more: siphon compare runs/before runs/after",
    });
  }
  const percent = flags.failIfSlower === undefined ? undefined : parsePercent(flags.failIfSlower);
  const comparison = compareRuns(await Promise.all(paths.map(readComparable)));
  const files = await writeComparison(datedDirectory(flags.out), comparison);
  if (flags.json) process.stdout.write(`${JSON.stringify(comparison, null, 2)}\n`);
  else process.stdout.write(`${inWords(comparison)}\n\nReport: ${files.html}\n`);
  if (percent !== undefined) failIfSlower(comparison, percent);
}

function inWords(comparison: RunsComparison): string {
  const { runs, rows: compared, differences } = comparison;
  const tables = runs.slice(1).map(({ label }, index) => {
    const head = [nounOf(comparison), ...metricNames.map((name) => metrics[name].title)];
    const rows = compared.map(({ title, cells, changes }) => {
      const changed = changes[index];
      if (changed) return [title, ...metricNames.map((name) => changeCell(changed[name]))];
      const missing =
        cells[0].status === "measured" ? cells[index + 1].status : `${cells[0].status} in the first`;
      return [title, missing, "", ""];
    });
    return `${label} against ${runs[0].label}:\n${plainTable(head, rows)}`;
  });
  const settings = differences.map(
    (difference) =>
      `  ${differenceName(difference)}: ${difference.values.map((value) => value ?? "none").join(" | ")}`,
  );
  return [
    ...comparisonSentences(comparison),
    "",
    tables.join("\n\n"),
    "▲ better  ▼ worse  ≈ no significant difference  ? too few repeats to say; in parentheses the 95 % interval",
    "Runs are made at different times: what the machine did during one of them is in its figures, too.",
    ...comparisonWarnings(comparison).map((warning) => `\n${warning}`),
    ...(settings.length > 0 ? ["", "What else differs:", ...settings] : []),
  ].join("\n");
}

function failIfSlower(comparison: RunsComparison, percent: number): void {
  const { regressions, undecided } = judge(comparison, percent);
  for (const { run, what } of undecided) process.stderr.write(`siphon: ${run}: ${what}\n`);
  for (const { run, what } of regressions) process.stderr.write(`siphon: ${run}: ${what}\n`);
  if (regressions.length > 0) process.exitCode = 1;
}

function parsePercent(text: string): number {
  const percent = Number(text);
  if (text.trim() !== "" && percent >= 0 && percent < 100) return percent;
  throw new LabError(
    "SIPHON_USAGE",
    `--fail-if-slower wants percent from 0 to 99, not ${JSON.stringify(text)}`,
  );
}
