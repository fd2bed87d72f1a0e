import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** CPU seconds of one process since its start, including ended threads. */
export interface CpuTimes {
  /** Seconds in user mode. */
  user: number;
  /** Seconds in the kernel. */
  system: number;
  /** The threads by their ids: name, and seconds (user + system), where the kernel counts them in nanoseconds as exactly. */
  threads: Map<number, { name: string; seconds: number }>;
}

/** CPU seconds that one process used between two readings. */
export interface CpuUse {
  user: number;
  system: number;
  /** Seconds (user + system) summed over the threads that share a name. */
  threads: Map<string, number>;
}

/** The kernel's USER_HZ, the unit of /proc/PID/stat: 100 on every Linux architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Identifies a process beyond the reuse of its pid. */
export interface ProcessId {
  pid: number;
  /** Start time in clock ticks since boot (field 22 of /proc/PID/stat). */
  startTime: number;
}

/** The identity of a running process, or undefined when there is none (zombies count as ended). */
export function processId(pid: number): ProcessId | undefined {
  const stat = readStat(`/proc/${pid}/stat`);
  return stat && stat.state !== "Z" && stat.state !== "X" ? { pid, startTime: stat.startTime } : undefined;
}

/** Whether the process of `id` is still running. */
export function isRunning(id: ProcessId): boolean {
  return processId(id.pid)?.startTime === id.startTime;
}

/**
 * Whether a process is gone, or ends within a moment. Its users (perf, a debugger) notice its end before the kernel
 * does, so after a failure `isRunning` alone could take an ending process for a running one.
 */
export async function endsSoon(id: ProcessId, withinMs = 3000): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (isRunning(id)) {
    if (performance.now() > deadline) return false;
    await sleep(10);
  }
  return true;
}

/**
 * Reads the CPU times of a process; undefined when it has ended. The kernel drops ended threads: `earlier`, a reading
 * of the same process, adds those that have ended since, with their usage at that time. Source: proc(5).
 */
export function cpuTimes(pid: number, earlier?: CpuTimes): CpuTimes | undefined {
  const whole = readStat(`/proc/${pid}/stat`);
  if (!whole) return undefined;
  const threads = new Map(earlier?.threads);
  for (const tid of list(`/proc/${pid}/task`)) {
    const stat = readStat(`/proc/${pid}/task/${tid}/stat`);
    if (stat) threads.set(Number(tid), { name: stat.name, seconds: scheduled(pid, tid, stat).cpu });
  }
  return { user: whole.user, system: whole.system, threads };
}

/** CPU seconds of a process since it began, its ended threads included; undefined when it has ended. */
export function cpuSeconds(pid: number): number | undefined {
  const stat = readStat(`/proc/${pid}/stat`);
  return stat && stat.user + stat.system;
}

/** CPU time between two readings of the same process. */
export function cpuBetween(before: CpuTimes, after: CpuTimes): CpuUse {
  const threads = new Map<string, number>();
  for (const [tid, { name, seconds }] of after.threads) {
    const used = seconds - (before.threads.get(tid)?.seconds ?? 0);
    threads.set(name, (threads.get(name) ?? 0) + Math.max(0, used));
  }
  return { user: after.user - before.user, system: after.system - before.system, threads };
}

/** The current state of one thread. */
export interface ThreadTimes {
  tid: number;
  name: string;
  /** On a CPU, or ready; otherwise it waits or is stopped. */
  running: boolean;
  /** Seconds on a CPU since its start. */
  cpu: number;
  /** Seconds in which it was ready but no CPU was free; 0 if the kernel does not count them. */
  delayed: number;
}

/** The live threads of a process, sorted by id; empty if it has ended. Source: proc(5), sched-stats.rst. */
export function threadTimes(pid: number): ThreadTimes[] {
  return list(`/proc/${pid}/task`).flatMap((tid) => {
    const stat = readStat(`/proc/${pid}/task/${tid}/stat`);
    if (!stat) return [];
    const { name, state } = stat;
    return [{ tid: Number(tid), name, running: state === "R", ...scheduled(pid, tid, stat) }];
  });
}

/** Seconds of a thread: exact if the kernel has schedstat, otherwise in ticks. */
function scheduled(
  pid: number,
  tid: string,
  { user, system }: Pick<Stat, "user" | "system">,
): Pick<ThreadTimes, "cpu" | "delayed"> {
  const nanoseconds = readText(`/proc/${pid}/task/${tid}/schedstat`)?.split(" ").map(Number);
  const [cpu, delayed] = nanoseconds?.map((each) => each / 1e9) ?? [user + system, 0];
  return { cpu: cpu!, delayed: delayed! };
}

/**
 * Pids of all readable processes with `variable=value` in their environment, except those in containers, where paths
 * name other files.
 */
export function pidsWithEnvironment(variable: string, matches: (value: string) => boolean): number[] {
  const prefix = `${variable}=`;
  const own = pidNamespace("self");
  return list("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      if (pidNamespace(`${pid}`) !== own) return false;
      const entry = readText(`/proc/${pid}/environ`)
        ?.split("\0")
        .find((line) => line.startsWith(prefix));
      return entry !== undefined && matches(entry.slice(prefix.length));
    });
}

/** The command line of a process in one line; undefined for an ended process or a zombie. */
export function commandLineOf(pid: number | string): string | undefined {
  return readText(`/proc/${pid}/cmdline`)?.replaceAll("\0", " ").trim() || undefined;
}

function pidNamespace(process: string): string | undefined {
  try {
    return readlinkSync(`/proc/${process}/ns/pid`);
  } catch {
    return undefined;
  }
}

interface Stat {
  name: string;
  state: string;
  user: number;
  system: number;
  startTime: number;
}

function readStat(path: string): Stat | undefined {
  const text = readText(path);
  if (!text) return undefined;
  // The name is in parentheses and may itself have blanks and parentheses.
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  const fields = text.slice(close + 2).split(" ");
  return {
    name: text.slice(open + 1, close),
    state: fields[0],
    user: Number(fields[11]) / TICKS_PER_SECOND,
    system: Number(fields[12]) / TICKS_PER_SECOND,
    startTime: Number(fields[19]),
  };
}

/** A process may end during the read; missing files read as empty. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
