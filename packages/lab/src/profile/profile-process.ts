import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { max, median } from "simple-statistics";
import { LabError } from "../errors.ts";
import { endsSoon, processId } from "../host/proc.ts";
import { Resource } from "../state/resource.ts";
import type { Report } from "../step.ts";
import type { Collected } from "./backend/backend.ts";
import { chooseBackend } from "./backend/choose.ts";
import { isDenied } from "./backend/denied.ts";
import type { BackendName, Profile } from "./profile.ts";
import { holdsStopped, letGo, tracerOf } from "./release.ts";
import { describeUnnamed } from "./symbols/unnamed.ts";
import { ThreadWatch, Usage } from "./thread-watch.ts";

export interface ProfileOptions {
  /** Seconds of sampling; default 10. */
  seconds?: number;
  /** Target milliseconds between two samples; default 50. */
  intervalMs?: number;
  backend?: BackendName | "auto";
  /** Ends the sampling; the profile then has the samples so far. */
  signal?: AbortSignal;
  report?: Report;
}

/**
 * Samples the stacks of all threads of a process, on a CPU or not, and measures their CPU use. The process continues
 * unharmed even if sampling fails.
 *
 * @throws LabError SIPHON_NOT_FOUND, SIPHON_PERMISSION, SIPHON_IN_USE when a debugger holds it, SIPHON_MISSING_PROGRAM
 */
export async function profileProcess(pid: number, options: ProfileOptions = {}): Promise<Profile> {
  const { seconds = 10, intervalMs = 50, signal, report = () => {} } = options;
  signal?.throwIfAborted();
  const id = processId(pid);
  if (!id) throw gone(pid, "there is no process");
  const backend = await chooseBackend(options.backend ?? "auto");
  if (backend.stops) refuseTraced(pid);
  await using work = await Resource.create("work", `profile-${pid}-${randomBytes(4).toString("hex")}`);
  const wasStopped = holdsStopped(pid);
  const started = new Date().toISOString();
  const watch = new ThreadWatch(pid);
  const name = watch.last.threads.get(pid)?.name ?? `process ${pid}`;
  const target = { id, watch, work };
  // Periods without sampling before and after show the threads' undisturbed CPU use, and the cost of sampling.
  const aloneMs = Math.min(2000, Math.max(500, seconds * 200));
  const alone = new Usage();
  const sampled = new Usage();
  let collected: Collected;
  try {
    await alone.during(watch, () => sleep(aloneMs, undefined, { signal }));
    collected = await sampled.during(watch, () =>
      backend.collect(target, { seconds, intervalMs, signal, report }),
    );
  } catch (error) {
    if (signal?.aborted || isDenied(error) || !(await endsSoon(id))) throw error;
    throw gone(pid, tooShort, error);
  } finally {
    if (!wasStopped) await letGo(id);
  }
  if (!collected.cutShort) {
    await alone.during(watch, () => sleep(aloneMs, undefined, { signal }).catch(() => {}));
  }
  report("looking up the names of functions");
  const { tally, unnamed } = await collected.stacks();
  const groups = tally.groups();
  if (groups.length === 0) {
    signal?.throwIfAborted();
    throw gone(pid, tooShort);
  }
  const { rounds, cutShort, sampleMs, stopMs, attachMs } = collected;
  return {
    schema: 1,
    process: { pid, name },
    started,
    seconds: sampled.seconds,
    intervalMs,
    backend: backend.name,
    rounds,
    cutShort,
    cores: availableParallelism(),
    threads: alone.threads(),
    groups,
    cost: {
      sampleMs:
        sampleMs.length > 0 ? { median: median(sampleMs), max: max(sampleMs) } : { median: 0, max: 0 },
      stopMs,
      attachMs,
      busySampled: sampled.busy,
      busyUnsampled: alone.busy,
    },
    unnamed: await describeUnnamed(unnamed, framesOf(groups)),
  };
}

function refuseTraced(pid: number): void {
  const tracer = tracerOf(pid);
  if (tracer === undefined) return;
  throw new LabError(
    "SIPHON_IN_USE",
    `process ${pid} is already traced by process ${tracer.pid} (${tracer.name})`,
    { hint: "end that debugger, or use --backend perf" },
  );
}

const tooShort = "no stack could be read before the end of process";

function gone(pid: number, what: string, cause?: unknown): LabError {
  return new LabError("SIPHON_NOT_FOUND", `${what} ${pid}`, {
    cause,
    hint: "name a running process by its pid, or a VM of siphon by its name (siphon vm list)",
  });
}

function framesOf(groups: Profile["groups"]): number {
  return groups
    .flatMap(({ stacks }) => stacks)
    .reduce((sum, { frames, samples }) => sum + frames.length * samples, 0);
}
