import { join, relative } from "node:path";
import { profileProcess } from "../profile/profile-process.ts";
import { writeProfile } from "../profile/write.ts";
import type { Report } from "../step.ts";
import type { PlannedCell } from "./cells.ts";
import type { Load } from "./engine.ts";

/** Sampling, and the moments before and after it in which the process is left alone. */
const SAMPLED_SECONDS = 3;
const LOAD_SECONDS = 8;

/** Makes one more run of a cell and samples its client in it; returns the profile's page, relative to `directory`. */
export async function profileCell(
  { name, target, through }: PlannedCell,
  load: Load,
  { directory, report, signal }: { directory: string; report: Report; signal: AbortSignal },
): Promise<string> {
  const client = Promise.withResolvers<number>();
  const longer = { ...load, seconds: LOAD_SECONDS };
  const file = join("fio", `${name}-profile.json`);
  const running = through.load(target, longer, { directory, file, signal, onClient: client.resolve });
  running.catch(client.reject);
  const pid = await client.promise;
  const profile = await profileProcess(pid, { seconds: SAMPLED_SECONDS, signal, report });
  const { html } = await writeProfile(join(directory, "profiles"), profile, name);
  await running;
  return relative(directory, html);
}
