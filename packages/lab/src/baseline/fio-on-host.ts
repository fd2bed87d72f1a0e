import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LabError } from "../errors.ts";
import { type FioJob, fioCommand } from "../fio/command.ts";
import { parseFio } from "../fio/result.ts";
import { run } from "../host/command.ts";
import { host, type Platform, withProgram } from "../host/platform.ts";
import { CpuSampler } from "../ladder/cpu-sampler.ts";
import type { LoadHooks, Measured } from "./engine.ts";

/**
 * Runs fio on this host and reads its figures, with the CPU times of it and of the OSDs meanwhile. Processes `beside` fio
 * count as the client's, too.
 */
export async function fioOnHost(
  job: FioJob,
  env: Record<string, string | undefined>,
  osdPids: number[],
  { directory, file, signal, onClient, beside = [] }: LoadHooks & { beside?: readonly number[] },
  from: Platform = host,
): Promise<Measured> {
  const { warmupSeconds = 0, seconds = 0 } = job;
  const started = new Date().toISOString();
  using stack = new DisposableStack();
  let sampler: CpuSampler | undefined;
  const [program, ...args] = fioCommand(job);
  const said = await run(program, args, {
    from: withProgram(from, program!),
    env,
    cwd: tmpdir(),
    anyExitCode: true,
    signal,
    timeoutMs: (warmupSeconds + seconds * 3 + 60) * 1000,
    onStart: (pid) => {
      sampler = stack.use(new CpuSampler([pid, ...beside], osdPids));
      onClient?.(pid);
    },
  });
  await writeFile(join(directory, file), said.stdout);
  const figures = parseFio(said, { seconds });
  const cpu = sampler?.during(figures.seconds);
  if (!cpu) {
    throw new LabError("SIPHON_PROGRAM_FAILED", `the CPU times of fio could not be read for ${file}`);
  }
  return { started, ...figures, cpu, fio: file };
}
