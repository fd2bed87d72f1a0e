import { lstat, readlink, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { LabError } from "../errors.ts";
import { pointLatest } from "../results/directory.ts";
import { findRuns, type RunEntry } from "./entries.ts";

/**
 * Removes a run's directory. `latest` next to it then points to the latest remaining run.
 *
 * @throws LabError SIPHON_USAGE for a run in progress
 */
export async function removeRun({ name, directory, state }: RunEntry): Promise<void> {
  if (state === "running") {
    throw new LabError("SIPHON_USAGE", `the run ${name} is still being made`, {
      hint: "stop the siphon that makes it, with Ctrl-C, or wait for its end",
    });
  }
  await rm(directory, { recursive: true });
  const beside = dirname(directory);
  if ((await latestOf(beside)) !== basename(directory)) return;
  const left = (await findRuns(beside)).filter((entry) => dirname(entry.directory) === beside);
  const next = left.findLast(({ run }) => run !== undefined);
  if (next) await pointLatest(beside, next.directory);
  else await rm(join(beside, "latest"), { force: true });
}

/** The target of the link `latest`; undefined without the link. */
async function latestOf(directory: string): Promise<string | undefined> {
  const link = join(directory, "latest");
  const found = await lstat(link).catch(() => undefined);
  return found?.isSymbolicLink() ? await readlink(link) : undefined;
}
