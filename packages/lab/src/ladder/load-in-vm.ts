import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LabError } from "../errors.ts";
import { type FioJob, fioCommandLine } from "../fio/command.ts";
import { parseFio } from "../fio/result.ts";
import type { Run } from "../results/schema.ts";
import { GuestClock } from "../vm/clock.ts";
import type { Vm } from "../vm/vm.ts";
import { CpuSampler } from "./cpu-sampler.ts";

export interface LoadInVmOptions {
  /** Processes whose CPU counts as the OSDs'. */
  osdPids: number[];
  /** File for fio's own output, relative to the results' directory. */
  directory: string;
  file: string;
  signal: AbortSignal;
}

/** Time limit of a job that ends when everything is written. */
export const FILL_SECONDS = 600;

/** Runs fio in a VM and reads its figures, with the CPU times of QEMU and the OSDs meanwhile. */
export async function loadInVm(
  vm: Vm,
  job: FioJob,
  { osdPids, directory, file, signal }: LoadInVmOptions,
): Promise<Omit<Run, "outlier" | "repeat" | "order">> {
  const started = new Date().toISOString();
  const clock = await GuestClock.start(vm);
  using sampler = new CpuSampler(vm.pids, osdPids);
  const expectedSeconds = (job.warmupSeconds ?? 0) + (job.seconds ?? FILL_SECONDS);
  const timeoutMs = (expectedSeconds * 3 + 60) * 1000;
  const said = await vm.run(fioCommandLine(job), { timeoutMs, signal });
  await writeFile(join(directory, file), said.stdout);
  const figures = parseFio(said, { seconds: job.seconds });
  const cpu = sampler.during(figures.seconds);
  if (!cpu) throw new LabError("SIPHON_VM", `the CPU times of QEMU could not be read for ${file}`);
  await clock.check();
  return { started, ...figures, cpu, fio: file };
}
