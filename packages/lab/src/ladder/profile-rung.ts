import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type FioJob, fioCommandLine } from "../fio/command.ts";
import { jobOf } from "../load/options.ts";
import { profileProcess } from "../profile/profile-process.ts";
import { writeProfile } from "../profile/write.ts";
import type { PlannedClimb } from "../rungs/plan.ts";
import type { Report } from "../step.ts";
import type { Measurer } from "./measure.ts";
import type { LadderOptions } from "./options.ts";

/** Seconds for fio's start in an emulated guest, and some load before sampling. */
const SETTLE_MS = 4_000;
const SAMPLED_SECONDS = 3;
/** Seconds of sampling, and of the periods without sampling before and after. */
const LOAD_SECONDS = 12;

/** Makes one more run of a rung and samples QEMU in it; returns the profile's page, relative to `directory`. */
export async function profileRung(
  rung: PlannedClimb,
  measurer: Measurer,
  options: LadderOptions,
  { directory, report, signal }: { directory: string; report: Report; signal: AbortSignal },
): Promise<string> {
  const { name } = rung.rung;
  report(`booting ${name}`);
  await using vm = await measurer.start(rung, signal);
  const filename = await measurer.device(vm, signal);
  const job: FioJob = { filename, ...jobOf(options, 0), seconds: LOAD_SECONDS };
  // Its figures do not count, because sampling stops QEMU repeatedly.
  const running = vm.run(fioCommandLine(job), { timeoutMs: 120_000, signal });
  running.catch(() => {});
  await Promise.race([sleep(SETTLE_MS, undefined, { signal }), running]);
  const profile = await profileProcess(vm.pid, { seconds: SAMPLED_SECONDS, signal, report });
  await running;
  const { html } = await writeProfile(join(directory, "profiles"), profile, name);
  return relative(directory, html);
}
