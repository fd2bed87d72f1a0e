import { join, relative } from "node:path";
import { profileProcess } from "../profile/profile-process.ts";
import { writeProfile } from "../profile/write.ts";
import type { Report } from "../step.ts";
import type { PlannedCell } from "./cells.ts";
import type { Load } from "./engine.ts";

/** Seconds of sampling, and of the periods without sampling before and after. */
const SAMPLED_SECONDS = 3;
const LOAD_SECONDS = 8;

/** Makes one more run of a cell and samples its client in it; returns the profile's page, relative to `directory`. */
export async function profileCell(
  { name, target, through }: PlannedCell,
  load: Load,
  { directory, report, signal }: { directory: string; report: Report; signal: AbortSignal },
): Promise<string> {
  const client = Promise.withResolvers<number>();
  const stop = new AbortController();
  const running = through.load(
    target,
    { ...load, seconds: LOAD_SECONDS },
    {
      directory,
      file: join("fio", `${name}-profile.json`),
      signal: AbortSignal.any([signal, stop.signal]),
      onClient: client.resolve,
    },
  );
  running.catch(client.reject);
  try {
    const profile = await profileProcess(await client.promise, { seconds: SAMPLED_SECONDS, signal, report });
    await running;
    const { html } = await writeProfile(join(directory, "profiles"), profile, name);
    return relative(directory, html);
  } catch (error) {
    stop.abort(error);
    await running.catch(() => {});
    throw error;
  }
}
