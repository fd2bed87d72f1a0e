import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type ComparableRun, readComparable } from "../compare/comparable.ts";
import { LabError } from "../errors.ts";
import { isRunning } from "../host/proc.ts";
import { processFile } from "../results/directory.ts";
import { resultsFile } from "../results/file.ts";
import { type Plan, planOf } from "./plan.ts";

/** The state of a run's directory. */
export type RunState = "complete" | "cut short" | "running" | "empty" | "broken";

/** A run's directory and its content. */
export interface RunEntry {
  /** Its path under the directory of runs. */
  name: string;
  directory: string;
  state: RunState;
  /** Why it is damaged. */
  why?: string;
  /** The measurements so far; undefined if there are none, or they cannot be read. */
  run?: ComparableRun;
  plan?: Plan;
}

/** Runs are under OUT, OUT/baseline, or a given directory. */
const DEEPEST = 4;

/** All runs under a directory, the latest last; empty if it does not exist. */
export async function findRuns(root: string): Promise<RunEntry[]> {
  const names = await runsUnder(root, "", DEEPEST);
  const entries = await Promise.all(names.map((name) => readEntry(root, name)));
  const began = ({ run, name }: RunEntry) => run?.started ?? timeIn(name);
  return entries.toSorted((a, b) => began(a).localeCompare(began(b)) || a.name.localeCompare(b.name));
}

/**
 * One run by its name under the directory, or `latest`.
 *
 * @throws LabError SIPHON_NOT_FOUND
 */
export async function findRun(root: string, name: string): Promise<RunEntry> {
  const entries = await findRuns(root);
  const latest = name === "latest" ? entries.findLast(({ run }) => run !== undefined) : undefined;
  const found = latest ?? entries.find((entry) => entry.name === name);
  if (found) return found;
  throw new LabError("SIPHON_NOT_FOUND", `there is no run ${name} in ${root}`, {
    hint: `list runs with: siphon runs list --in ${root}`,
  });
}

async function runsUnder(root: string, path: string, deeper: number): Promise<string[]> {
  // Links are skipped: `latest` is another name of a run.
  const entries = await readdir(join(root, path), { withFileTypes: true }).catch((error) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });
  if (path !== "" && entries.some(({ name }) => name === resultsFile || name === processFile)) return [path];
  if (deeper === 0) return [];
  const inside = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => runsUnder(root, join(path, name), deeper - 1));
  return (await Promise.all(inside)).flat();
}

async function readEntry(root: string, name: string): Promise<RunEntry> {
  const directory = join(root, name);
  const going = await isGoing(directory);
  try {
    const run = { ...(await readComparable(directory)), label: name };
    const state = going ? "running" : run.complete ? "complete" : "cut short";
    return { name, directory, state, run, plan: planOf(run) };
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    if (error.code === "SIPHON_NOT_FOUND") return { name, directory, state: going ? "running" : "empty" };
    return { name, directory, state: "broken", why: error.message };
  }
}

const owner = z.object({ pid: z.int(), startTime: z.number() });

/** Whether the process of the run is still alive. */
async function isGoing(directory: string): Promise<boolean> {
  try {
    return isRunning(owner.parse(JSON.parse(await readFile(join(directory, processFile), "utf8"))));
  } catch {
    return false;
  }
}

/** The time of a run without results comes from its name. */
function timeIn(name: string): string {
  const [, day, time] = /(\d{4}-\d\d-\d\dT)(\d\d-\d\d-\d\d)/.exec(name) ?? [];
  return time === undefined ? "" : `${day}${time.replaceAll("-", ":")}`;
}
