import {
  changeCell,
  compareRuns,
  comparisonSentences,
  comparisonWarnings,
  datedDirectory,
  differenceName,
  judge,
  LabError,
  type Limits,
  metricNames,
  metrics,
  nounOf,
  type RunsComparison,
  readComparable,
  writeComparison,
} from "@siphon/lab";
import { Command } from "commander";
import { given } from "../options.ts";
import { plainTable } from "../plain-table.ts";

/** The flags of a comparison, as commander gives them. */
export interface CompareFlags {
  failIfSlower?: string;
  failIfCpu?: string;
  failIfP99?: string;
  out: string;
  json?: boolean;
}

export function compareCommand(): Command {
  return withCompareFlags(new Command("compare"))
    .description(
      "Compare runs of a ladder, a baseline or density with the first one: IOPS, CPU per I/O and latency (median,\n" +
        "p99, p99.9) of every rung or cell, with verdicts. Also lists other differences between the runs.",
    )
    .argument("<runs...>", "two or more runs: their directories, or their results.json")
    .action(compareAll);
}

export function withCompareFlags(command: Command): Command {
  return command
    .option(
      "--fail-if-slower <percent>",
      "exit with 1 if a rung of a later run failed, or is slower by more than this with its whole 95 % interval",
    )
    .option("--fail-if-cpu <percent>", "the same if CPU per I/O grew by more than this")
    .option("--fail-if-p99 <percent>", "the same for p99 latency")
    .option("--out <dir>", "directory for comparisons, with a subdirectory for each", "comparisons")
    .option("--json", "print the comparison as JSON");
}

/** Compares the runs at these paths. */
export async function compareAll(paths: readonly string[], flags: CompareFlags): Promise<void> {
  if (paths.length < 2) {
    throw new LabError("SIPHON_USAGE", "one run alone cannot be compared", {
      hint: "name two or more: siphon compare runs/before runs/after",
    });
  }
  const limits = given({
    iops: toPercent("--fail-if-slower", flags.failIfSlower, 100),
    cpuPerIo: toPercent("--fail-if-cpu", flags.failIfCpu),
    latencyP99: toPercent("--fail-if-p99", flags.failIfP99),
  });
  const comparison = compareRuns(await Promise.all(paths.map(readComparable)));
  const files = await writeComparison(datedDirectory(flags.out), comparison);
  if (flags.json) process.stdout.write(`${JSON.stringify(comparison, null, 2)}\n`);
  else process.stdout.write(`${inWords(comparison)}\n\nReport: ${files.html}\n`);
  if (Object.keys(limits).length > 0) failIfWorse(comparison, limits);
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
      return [title, missing, ...metricNames.slice(1).map(() => "")];
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
    "Runs are made at different times: other load on the machine during one of them affects its figures, too.",
    ...comparisonWarnings(comparison).map((warning) => `\n${warning}`),
    ...(settings.length > 0 ? ["", "Other differences:", ...settings] : []),
  ].join("\n");
}

function failIfWorse(comparison: RunsComparison, limits: Limits): void {
  const { regressions, undecided } = judge(comparison, limits);
  for (const { run, what } of undecided) process.stderr.write(`siphon: ${run}: ${what}\n`);
  for (const { run, what } of regressions) process.stderr.write(`siphon: ${run}: ${what}\n`);
  if (regressions.length > 0) process.exitCode = 1;
}

function toPercent(
  flag: string,
  text: string | undefined,
  below = Number.POSITIVE_INFINITY,
): number | undefined {
  if (text === undefined) return undefined;
  const percent = Number(text);
  if (text.trim() !== "" && Number.isFinite(percent) && percent >= 0 && percent < below) return percent;
  const range = below === 100 ? "percent from 0 to 99" : "percent, 0 or more";
  throw new LabError("SIPHON_USAGE", `${flag} needs ${range}, not ${JSON.stringify(text)}`);
}
