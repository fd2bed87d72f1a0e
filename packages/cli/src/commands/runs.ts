import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  changeCell,
  changesBefore,
  findRun,
  findRuns,
  format,
  LabError,
  type MetricName,
  metrics,
  type RunEntry,
  readBaselineResults,
  readDensityResults,
  readResults,
  removeRun,
  type Trend,
  trendHeadline,
  trendHtml,
  trendOf,
} from "@siphon/lab";
import { Command } from "commander";
import { baselineTable } from "../baseline-table.ts";
import { densityTable } from "../density-table.ts";
import { given } from "../options.ts";
import { plainTable } from "../plain-table.ts";
import { ladderTable } from "../table.ts";
import { type CompareFlags, compareAll, withCompareFlags } from "./compare.ts";

interface Where {
  in: string;
  json?: boolean;
}

/** `siphon runs`: the runs recorded on this machine. */
export function runsCommand(): Command {
  return new Command("runs")
    .description(
      "List, show, compare and remove the runs of `siphon ladder`, `siphon baseline` and `siphon density`.",
    )
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(trendCommand())
    .addCommand(compareCommand())
    .addCommand(removeCommand());
}

function command(name: string): Command {
  return new Command(name).option("--in <dir>", "the directory of runs", "runs");
}

function listCommand(): Command {
  return command("list")
    .description(
      "List all runs with their time, their outcome, their plan (the same for runs of the same load on the\n" +
        "same kind of cluster), and their highest IOPS.",
    )
    .option("--json", "print them as JSON")
    .action(async ({ in: root, json }: Where) => {
      const entries = await findRuns(root);
      if (json) return print(entries.map(summaryOf));
      if (entries.length === 0) {
        process.stdout.write(`there are no runs in ${root}; make one with: siphon ladder --quick\n`);
        return;
      }
      const rows = entries
        .map(summaryOf)
        .map(({ name, state, started, seconds, plan, measured, best, words }) => [
          name,
          started === null ? "" : format.dateTime(started),
          seconds === null
            ? ""
            : format.duration(started!, new Date(Date.parse(started!) + seconds * 1000).toISOString()),
          state,
          measured === null ? "" : `${measured}`,
          best === null ? "" : format.count(best.iops),
          plan ?? "",
          words ?? "",
        ]);
      const head = ["run", "made", "took", "state", "measured", "most IOPS", "plan", ""];
      process.stdout.write(`${plainTable(head, rows).replaceAll("\u00a0", " ")}\n`);
    });
}

/** A run's row in the list; null for a value that is not known. */
function summaryOf({ name, directory, state, why, run, plan }: RunEntry) {
  const measured = run?.rows.filter((row) => row.status === "measured");
  const speeds = (measured ?? []).map(({ name: row, runs }) => ({
    name: row,
    iops: middle(runs.map(({ iops }) => iops)),
  }));
  return {
    name,
    directory,
    state,
    why: why ?? null,
    kind: run?.kind ?? null,
    started: run?.started ?? null,
    seconds: run ? (Date.parse(run.finished) - Date.parse(run.started)) / 1000 : null,
    plan: plan?.id ?? null,
    words: why ?? plan?.words ?? null,
    measured: measured?.length ?? null,
    best: speeds.toSorted((a, b) => b.iops - a.iops).at(0) ?? null,
  };
}

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** A run's results.json, and its table for the terminal. */
const read = {
  ladder: async (directory: string) => {
    const results = await readResults(directory);
    return { results, table: ladderTable(results) };
  },
  baseline: async (directory: string) => {
    const results = await readBaselineResults(directory);
    return { results, table: baselineTable(results) };
  },
  density: async (directory: string) => {
    const results = await readDensityResults(directory);
    return { results, table: densityTable(results) };
  },
};

function showCommand(): Command {
  return command("show")
    .description("Show what a run measured.")
    .argument("[run]", "its name in the list", "latest")
    .option("--json", "print its results.json")
    .action(async (name: string, { in: root, json }: Where) => {
      const { run, directory, state, plan, why } = await findRun(root, name);
      if (!run) throw new LabError("SIPHON_NOT_FOUND", why ?? `the run ${name} has no results yet`);
      const { results, table } = await read[run.kind](directory);
      if (json) return print(results);
      const lines = [
        `${run.label}: ${state}, ${format.dateTime(run.started)}, siphon ${run.siphon}`,
        `plan ${plan!.id}: ${plan!.words}`,
        "",
        table,
        "",
        `Report: ${join(directory, "report.html")}`,
      ];
      process.stdout.write(`${lines.join("\n")}\n`);
    });
}

function trendCommand(): Command {
  return command("trend")
    .description(
      "Show runs of one plan over time, compare each rung or cell of the latest with the first, and write a page\n" +
        "with charts.",
    )
    .option("--plan <id>", "the plan, as the list shows it (default: that of the latest run)")
    .option("--last <n>", "at most this many runs, the latest ones", "20")
    .option("--html <file>", "the page (default: trend-PLAN.html in the directory of runs)")
    .option("--json", "print the runs, their figures and what changed as JSON")
    .action(async (flags: Where & { plan?: string; last: string; html?: string }) => {
      const last = Number(flags.last);
      if (!Number.isInteger(last) || last < 2) {
        throw new LabError("SIPHON_USAGE", `--last needs a number of runs, 2 or more, not ${flags.last}`);
      }
      const trend = trendOf(await findRuns(flags.in), { last, ...given({ plan: flags.plan }) });
      const file = flags.html ?? join(flags.in, `trend-${trend.plan.id}.html`);
      await writeFile(file, await trendHtml(trend));
      if (flags.json) return print(trend);
      process.stdout.write(`${trendInWords(trend)}\n\nPage: ${file}\n`);
    });
}

function trendInWords(trend: Trend): string {
  const { runs, rows, differences } = trend.comparison;
  const shown: MetricName[] = ["iops", "cpuPerIo", "latencyP99"];
  const changed = rows.flatMap(({ title, changes }) => {
    const change = changes.at(-1);
    return change ? [[title, ...shown.map((name) => changeCell(change[name]))]] : [];
  });
  const made = runs.map(({ label, started, complete }, index) => {
    const notes = [...changesBefore(differences, index), ...(complete ? [] : ["was cut short"])];
    return `  ${label}, ${format.dateTime(started)}${notes.length > 0 ? `: ${notes.join("; ")}` : ""}`;
  });
  return [
    trendHeadline(trend),
    `plan ${trend.plan.id}: ${trend.plan.words}`,
    "",
    plainTable(["latest against the first", ...shown.map((name) => metrics[name].title)], changed),
    "▲ better  ▼ worse  ≈ no significant difference  ? too few repeats to say; in parentheses the 95 % interval",
    "",
    "The runs, and their differences from the one before:",
    ...made,
  ]
    .join("\n")
    .replaceAll("\u00a0", " ");
}

function compareCommand(): Command {
  return withCompareFlags(command("compare"))
    .description("Compare runs with the first one, by their names in the list: see `siphon compare`.")
    .argument("<runs...>", "two or more runs")
    .action(async (names: string[], flags: Where & CompareFlags) => {
      const found = await Promise.all(names.map((name) => findRun(flags.in, name)));
      await compareAll(
        found.map(({ directory }) => directory),
        flags,
      );
    });
}

function removeCommand(): Command {
  return command("rm")
    .alias("remove")
    .description("Remove runs with all their files. Refused for a run in progress.")
    .argument("<runs...>", "their names in the list")
    .option("--json", "print what was removed as JSON")
    .action(async (names: string[], { in: root, json }: Where) => {
      // Find all runs before removing one: `latest` can name one of them, and with an unknown name nothing is removed.
      const found = await Promise.all(names.map((name) => findRun(root, name)));
      const removed = [...new Map(found.map((entry) => [entry.name, entry])).values()];
      for (const entry of removed) {
        await removeRun(entry);
        if (!json) process.stdout.write(`removed ${entry.name}\n`);
      }
      if (json) print(removed.map(({ name, directory }) => ({ name, directory })));
    });
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
