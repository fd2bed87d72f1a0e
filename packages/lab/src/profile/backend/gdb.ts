import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../../errors.ts";
import { isRunning } from "../../host/proc.ts";
import { OnCpu } from "../on-cpu.ts";
import { readMaps } from "../symbols/maps.ts";
import { functionName } from "../symbols/names.ts";
import { Symbols } from "../symbols/symbols.ts";
import { Tally } from "../tally.ts";
import type { Backend, Collected, CollectOptions, ProfileTarget } from "./backend.ts";
import { denied } from "./denied.ts";
import { GdbMi, unquote } from "./gdb-mi.ts";
import { sampleRounds } from "./rounds.ts";

/**
 * gdb, attached for the whole time. For a sample it stops all threads for tens of milliseconds, and once at the start
 * while it reads all symbols. In non-stop mode it stops threads through ptrace; in all-stop mode it would send SIGINT,
 * which could reach the program.
 */
export const gdb: Backend = { name: "gdb", programs: ["gdb"], stops: true, collect };

async function collect(target: ProfileTarget, options: CollectOptions): Promise<Collected> {
  const { id, watch, work } = target;
  const tally = new Tally();
  const unnamed = new Map<string, number>();
  let stoppedMs = 0;
  using onCpu = new OnCpu(id.pid);
  await using session = await GdbMi.start(work.environment);
  options.report("gdb reads symbols");
  const attachMs = await attach(session, id.pid);
  const symbols = new Symbols(readMaps(id.pid) ?? "", id.pid);
  const rounds = await sampleRounds(id, options, async () => {
    const states = watch.read();
    const begun = performance.now();
    const stacks = await stacksOf(session, () => isRunning(id));
    stoppedMs += performance.now() - begun;
    for (const [tid, frames] of stacks) {
      const thread = states.get(tid);
      if (!thread) continue;
      const names = frames.map(({ address, name }) => {
        if (name !== undefined) return functionName(name);
        const file = symbols.file(address);
        if (file !== undefined) unnamed.set(file, (unnamed.get(file) ?? 0) + 1);
        return symbols.place(address);
      });
      onCpu.note(frames[0].address);
      const running = onCpu.count(1, thread.running ? 1 : 0, frames[0].address, names[0]);
      tally.add(thread.name, names.toReversed(), 1, running);
    }
  });
  const stopMs = stoppedMs / Math.max(rounds.rounds, 1);
  return { ...rounds, attachMs, stopMs, stacks: async () => ({ tally, unnamed }) };
}

/** Attaches and resumes all threads; returns the milliseconds for which they were stopped. */
async function attach(session: GdbMi, pid: number): Promise<number> {
  for (const setting of [
    "non-stop on",
    "mi-async on",
    "debuginfod enabled off",
    "print frame-arguments none",
    "backtrace limit 256",
  ]) {
    // Older ones do not know every setting.
    await session.ask(`-gdb-set ${setting}`).catch(() => {});
  }
  // If gdb crashes, for example at the sudden end of the process, it must not leave a core file.
  await session.ask('-interpreter-exec console "maintenance set internal-error corefile no"').catch(() => {});
  // Pass signals to the program.
  await session.ask('-interpreter-exec console "handle all nostop noprint pass"');
  const begun = performance.now();
  try {
    await session.ask(`-target-attach ${pid}`);
  } catch (error) {
    const { message } = error as Error;
    if (/not permitted|Permission/.test(message)) throw denied(pid, message);
    throw error;
  }
  await allStopped(session, () => true);
  await session.ask("-exec-continue --all");
  return performance.now() - begun;
}

export interface GdbFrame {
  /** Hexadecimal. */
  address: string;
  name: string | undefined;
}

/** The stack of every thread by its id in the kernel, innermost frame first. */
async function stacksOf(session: GdbMi, alive: () => boolean): Promise<Map<number, GdbFrame[]>> {
  await session.ask("-exec-interrupt --all");
  const threads = await allStopped(session, alive);
  const stacks = await Promise.all(
    threads.map(async ({ id, tid }) => {
      // A thread may end between the two commands.
      const stack = await session.ask(`-stack-list-frames --thread ${id}`).catch(() => "");
      return [tid, parseFrames(stack)] as const;
    }),
  );
  await session.ask("-exec-continue --all");
  return new Map(stacks.filter(([, frames]) => frames.length > 0));
}

interface GdbThread {
  id: number;
  tid: number;
}

async function allStopped(session: GdbMi, alive: () => boolean): Promise<GdbThread[]> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const { threads, moving } = parseThreads(await session.ask("-thread-info"));
    if (!moving && threads.length > 0) return threads;
    if (!alive() || performance.now() > deadline) {
      throw new LabError("SIPHON_TIMEOUT", "gdb could not stop all threads within 30 s");
    }
    await sleep(1);
  }
}

/** `threads=[{id="1",target-id="Thread 0x7f... (LWP 27913)",...,state="stopped",...},...]` */
export function parseThreads(answer: string): { threads: GdbThread[]; moving: boolean } {
  const threads = [...answer.matchAll(/\{id="(\d+)",target-id="[^"]*?(?:LWP|process) (\d+)/g)].map(
    ([, id, tid]) => ({ id: Number(id), tid: Number(tid) }),
  );
  return { threads, moving: answer.includes('state="running"') };
}

/** `stack=[frame={level="0",addr="0x...",func="epoll_wait",from="/lib/libc.so.6"},frame={...}]` */
export function parseFrames(answer: string): GdbFrame[] {
  return [...answer.matchAll(/frame=\{((?:[^"{}]|"(?:[^"\\]|\\.)*")*)\}/g)].map(([, fields]) => {
    const name = field(fields, "func");
    return {
      address: BigInt(field(fields, "addr") ?? 0).toString(16),
      name: name === "??" ? undefined : name,
    };
  });
}

function field(fields: string, name: string): string | undefined {
  const value = new RegExp(`(?:^|,)${name}="((?:[^"\\\\]|\\\\.)*)"`).exec(fields)?.[1];
  return value === undefined ? undefined : unquote(value);
}
