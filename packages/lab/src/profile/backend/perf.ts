import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../../errors.ts";
import { lastWords, notStarted } from "../../host/command.ts";
import { functionName, placeName } from "../symbols/names.ts";
import { Tally } from "../tally.ts";
import type { Backend, Collected, CollectOptions, NamedStacks, ProfileTarget } from "./backend.ts";
import { denied } from "./denied.ts";

/** Frame for the time in which a thread was not on a CPU. */
export const offCpu = "[off CPU]";

/**
 * Linux perf: it stops nothing, and shows the kernel's functions, too, but sees threads only on a CPU. The rest of a
 * thread's time is one frame, `[off CPU]`, without the place of the wait.
 */
export const perf: Backend = {
  name: "perf",
  programs: ["perf"],
  stops: false,
  collect,
};

/** Bytes of stack that perf copies per sample; frames beyond are lost. */
const STACK_BYTES = 32_768;

async function collect(target: ProfileTarget, options: CollectOptions): Promise<Collected> {
  const { watch, work } = target;
  const data = work.path("perf.data");
  const threads = new Map(watch.read());
  const recorded = await record(target, data, options);
  for (const [tid, thread] of watch.read()) threads.set(tid, thread);
  const rounds = Math.round(recorded.seconds * frequency(options));
  const cutShort = recorded.aborted ? "interrupted" : recorded.ended ? "the process ended" : undefined;
  const stacks = async () => {
    const { counts, ...named } = await read(data, work.environment);
    for (const [tid, { name }] of threads) {
      const waited = rounds - (counts.get(tid) ?? 0);
      if (waited > 0) named.tally.add(name, [offCpu], waited, 0);
    }
    return named;
  };
  return { rounds, cutShort, sampleMs: [], stopMs: 0, attachMs: 0, stacks };
}

/**
 * Records until the time is over, the process ends or `signal` aborts. perf needs time to start, seconds on a busy
 * machine. It starts a given program when it begins to record, so that program's first output marks the beginning.
 */
async function record(
  { id, work }: ProfileTarget,
  data: string,
  options: CollectOptions,
): Promise<{ seconds: number; aborted: boolean; ended: boolean }> {
  const { seconds, signal, report } = options;
  const args = ["record", "--event", "cpu-clock", "--freq", `${frequency(options)}`];
  args.push("--call-graph", `dwarf,${STACK_BYTES}`, "--output", data, "--pid", `${id.pid}`);
  // perf ends by itself if siphon is killed.
  args.push("--", "sh", "-c", `echo begun; exec sleep ${seconds + 10}`);
  const child = spawn("perf", args, {
    env: { ...process.env, ...work.environment },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  const beginning = once(child.stdout, "data").then(() => true);
  await once(child, "spawn").catch((cause) => {
    throw notStarted("perf", cause);
  });
  const exited = once(child, "exit").then(() => false);
  // On SIGINT perf writes its data and ends.
  const interrupt = () => child.kill("SIGINT");
  signal?.addEventListener("abort", interrupt);
  try {
    const recording = await Promise.race([beginning, exited]);
    if (signal?.aborted) await exited;
    if (!recording) {
      signal?.throwIfAborted();
      throw cannotRecord(id.pid, stderr);
    }
    const begun = performance.now();
    report(`perf records for ${seconds} s`);
    const over = new AbortController();
    const pause = sleep(seconds * 1000, true, { signal: over.signal }).catch(() => true);
    const timeIsOver = await Promise.race([exited, pause]);
    over.abort();
    const lasted = (performance.now() - begun) / 1000;
    if (timeIsOver) interrupt();
    await exited;
    const aborted = signal?.aborted ?? false;
    // If the process has ended, perf ends with the exit code of its own child.
    return { seconds: lasted, aborted, ended: !timeIsOver && !aborted };
  } finally {
    signal?.removeEventListener("abort", interrupt);
  }
}

/** Also if the process ended before perf began; the caller checks this. */
function cannotRecord(pid: number, stderr: string): LabError {
  if (/perf_event_paranoid|[Pp]ermission|not permitted/.test(stderr)) {
    return denied(pid, "perf_event_open is not permitted");
  }
  const words = lastWords({ stdout: "", stderr });
  return new LabError("SIPHON_PROGRAM_FAILED", `perf cannot record process ${pid}: ${words}`);
}

/** Samples per second of a running thread. */
function frequency({ intervalMs }: CollectOptions): number {
  return Math.max(1, Math.round(1000 / intervalMs));
}

interface Read extends NamedStacks {
  /** Samples by thread id. */
  counts: Map<number, number>;
}

/** Reads perf's samples by `perf script`, line by line: they may be many. */
async function read(data: string, environment: Record<string, string>): Promise<Read> {
  const result: Read = { tally: new Tally(), counts: new Map(), unnamed: new Map() };
  const args = ["script", "--input", data, "--no-inline", "--fields", "comm,tid,ip,sym,dso"];
  const child = spawn("perf", args, {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const exited = once(child, "exit");
  const parser = new PerfScript(({ comm, tid, frames }) => {
    result.counts.set(tid, (result.counts.get(tid) ?? 0) + 1);
    const names = frames.map(({ name, file }) => {
      if (name !== undefined) return functionName(name);
      if (file?.startsWith("/")) result.unnamed.set(file, (result.unnamed.get(file) ?? 0) + 1);
      return file === undefined ? "[unknown]" : placeName(file);
    });
    result.tally.add(comm, names.toReversed(), 1, 1);
  });
  for await (const line of createInterface({ input: child.stdout })) parser.line(line);
  parser.end();
  const [code] = await exited;
  if (code !== 0) throw new LabError("SIPHON_PROGRAM_FAILED", `perf script failed (exit code ${code})`);
  return result;
}

interface PerfSample {
  comm: string;
  tid: number;
  /** Innermost first. */
  frames: { name: string | undefined; file: string | undefined }[];
}

/**
 *     msgr-worker-0 27919
 *             ffffffff82010dcc tcp_sendmsg ([kernel.kallsyms])
 *                       5abef2 [unknown] (/usr/lib/ceph/libceph-common.so.2)
 */
export class PerfScript {
  readonly #onSample: (sample: PerfSample) => void;
  #sample: PerfSample | undefined;

  constructor(onSample: (sample: PerfSample) => void) {
    this.#onSample = onSample;
  }

  line(line: string): void {
    const [, name, dso] = /^\s+[0-9a-f]+ (.*?) \(([^()]*)(?: \(deleted\))?\)$/.exec(line) ?? [];
    if (name !== undefined) {
      const file = dso === "[unknown]" ? undefined : dso;
      this.#sample?.frames.push({ name: name === "[unknown]" ? undefined : name, file });
      return;
    }
    this.end();
    const [, comm, tid] = /^(\S.*?)\s+(\d+)\s*$/.exec(line) ?? [];
    if (comm !== undefined) this.#sample = { comm, tid: Number(tid), frames: [] };
  }

  end(): void {
    if (this.#sample && this.#sample.frames.length > 0) this.#onSample(this.#sample);
    this.#sample = undefined;
  }
}
