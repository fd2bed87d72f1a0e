import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import type { Estimate } from "./estimate.ts";

/** A goal of a benchmark, and whether it was met. */
export interface Goal {
  name: string;
  goal: number;
  /** How `measured` must compare to `goal`. */
  op: "<=" | ">=";
  measured: number;
  low: number;
  high: number;
  met: boolean;
}

export function goal(name: string, { median, low, high }: Estimate, op: Goal["op"], limit: number): Goal {
  const met = op === "<=" ? median <= limit : median >= limit;
  return { name, goal: limit, op, measured: median, low, high, met };
}

export function printGoals(goals: readonly Goal[]): void {
  for (const { name, goal: limit, op, measured, met } of goals) {
    console.log(`${met ? "met   " : "missed"} ${name}: ${measured.toFixed(2)}, goal ${op} ${limit}`);
  }
}

/** Writes a benchmark's results with the date and the machine; does nothing without a path. */
export async function writeResult(
  path: string | undefined,
  result: { goals: Goal[] } & Record<string, unknown>,
): Promise<void> {
  if (path === undefined) return;
  const { goals, ...rest } = result;
  const measured = { date: new Date().toISOString(), machine: machine(), node: process.version };
  await writeFile(path, `${JSON.stringify({ ...rest, ...measured, goals }, null, 2)}\n`);
}

/** Shows progress on the terminal, if there is one. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function machine(): string {
  const memory = /MemTotal:\s+(\d+)/.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  const gib = Math.round(Number(memory) / 2 ** 20);
  return `${cpus().length} x ${cpus()[0]?.model.trim() ?? process.arch}, ${gib} GiB`;
}
