/**
 * Fills the tables of docs/performance.md and docs/scaling.md from docs/results: between `<!-- NAME -->` and `<!--
 * /NAME -->` goes the table made from NAME.json. `--check` writes nothing, and fails if a table differs from its file.
 */
import { existsSync, readFileSync } from "node:fs";
import { fillPage } from "./filled-page.ts";

interface Estimate {
  median: number;
  low: number;
  high: number;
}

interface Goal extends Omit<Estimate, "median"> {
  name: string;
  measured: number;
  goal: number;
  op: string;
  met: boolean;
}

interface Result {
  date: string;
  machine: string;
  node: string;
  goals: Goal[];
  /** Goals that were not measured, and why. */
  skipped?: { name: string; reason: string }[];
  rows: Record<string, unknown>[];
}

/** A column: its title, the row's field, and the number of decimals. */
type Column = [title: string, field: string, digits?: number];

/** The metrics by which image clients are compared. */
const client: Column[] = [
  ["load", "load"],
  ["client", "client"],
  ["IOPS", "iops", 0],
  ["CPU, us per I/O", "cpu", 1],
  ["p50, us", "p50", 0],
  ["p99, us", "p99", 0],
];
const memory: Column = ["memory, MiB", "mebibytes", 0];

/** The columns of the benchmarks whose rows are worth a table; the goals of all are shown. */
const columns: Record<string, Column[]> = {
  messenger: [
    ["16 KiB frames", "name"],
    ["CPU, us per frame", "cpuMicroseconds", 1],
    ["frames a second", "framesPerSecond", 0],
    ["times the floor", "timesFloor", 2],
  ],
  rados: [
    ["load", "name"],
    ["client", "who"],
    ["IOPS", "iops", 0],
    ["CPU, us per operation", "cpuMicroseconds", 1],
    memory,
    ["siphon's IOPS, times", "iopsTimes", 2],
    ["siphon's CPU, times", "cpuTimes", 2],
  ],
  rbd: [["cluster", "store"], ["wire", "wire"], ...client, ["p99.9, us", "p999", 0], memory],
  transfer: [
    ["transfer", "transfer"],
    ["client", "client"],
    ["elapsed, s", "seconds", 2],
    ["CPU, s", "cpu", 2],
    ["CPU beside the start, s per GiB", "cpuPerGibibyte", 2],
  ],
  scale: [...client, ["context switches per I/O", "switches", 2], memory],
  attach: [
    ["load", "load"],
    ["server", "server"],
    ["IOPS", "iops", 0],
    ["CPU, us per I/O", "cpu", 1],
    ["p99, ms", "p99", 2],
    ["siphon's IOPS, times", "iopsTimes", 2],
    ["siphon's CPU, times", "cpuTimes", 2],
  ],
  crush: [
    ["cluster", "name"],
    ["CPU, ms", "cpu", 1],
    ["elapsed, ms", "elapsed", 1],
  ],
};

for (const page of ["performance", "scaling"]) {
  fillPage(page, (name) => `${section(name)}\n`, { script: "docs:performance" });
}

function section(name: string): string {
  const file = new URL(`../docs/results/${name}.json`, import.meta.url);
  if (!existsSync(file)) return "Not measured yet.\n";
  const { date, machine, node, goals, skipped = [], rows } = JSON.parse(readFileSync(file, "utf8")) as Result;
  const parts = [`Measured ${date.slice(0, 10)} on ${machine}, Node ${node}.`];
  // Older results lack some of them.
  const shown = columns[name]?.filter(([, field]) => rows.some((row) => row[field] !== undefined));
  if (shown !== undefined) {
    parts.push(
      table(
        shown.map(([title]) => title),
        rows.map((row) => shown.map(([, field, digits = 0]) => cell(row[field], digits))),
      ),
    );
  }
  parts.push(
    table(
      ["goal", "measured", "wanted", "met"],
      [
        ...goals.map(({ name, measured: median, low, high, op, goal, met }) => [
          name,
          cell({ median, low, high }, median < 10 ? 2 : 1),
          `${op} ${goal}`,
          met ? "yes" : "**no**",
        ]),
        ...skipped.map(({ name, reason }) => [name, reason, "", "not measured here"]),
      ],
    ),
  );
  return `\n${parts.join("\n\n")}\n`;
}

function cell(value: unknown, digits: number): string {
  if (typeof value === "string") return value;
  if (value === undefined) return "";
  const { median, low, high } = value as Estimate;
  const text = (n: number) => n.toLocaleString("en", { maximumFractionDigits: digits });
  return median === low && low === high ? text(median) : `${text(median)} [${text(low)}, ${text(high)}]`;
}

function table(titles: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [line(titles), line(titles.map(() => "---")), ...rows.map(line)].join("\n");
}
