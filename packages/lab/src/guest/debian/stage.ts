import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../../errors.ts";
import { notStarted } from "../../host/command.ts";

export interface StageOptions {
  /** Added to this process's environment. */
  env?: Record<string, string>;
  cwd?: string;
  signal?: AbortSignal;
  /** Receives each line of the program's output. */
  onLine?: (line: string) => void;
}

/**
 * Runs a long program that reports progress. An abort sends SIGTERM to its process group and gives it ten seconds to
 * clean up. A full disk becomes SIPHON_NO_SPACE, every other failure SIPHON_PROGRAM_FAILED with the last output.
 */
export async function stage(command: string, args: string[], options: StageOptions = {}): Promise<void> {
  const { env, cwd, signal, onLine } = options;
  signal?.throwIfAborted();
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, LC_ALL: "C.UTF-8", ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on("line", (line) => {
      said.push(line);
      onLine?.(line);
    });
  }
  const closed = once(child, "close").catch((cause: unknown) => {
    throw notStarted(command, cause);
  });
  const stop = () => void endGroup(child.pid!, closed);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    await closed;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
  signal?.throwIfAborted();
  if (child.exitCode !== 0) throw failure(command, child.exitCode ?? child.signalCode, said);
}

/** The error for a failed program, from its output. */
export function failure(command: string, exit: number | string | null, said: string[]): LabError {
  const full = said.find((line) => /no space left on device|disk quota exceeded/i.test(line));
  if (full) {
    return new LabError("SIPHON_NO_SPACE", `the disk is full: ${command} said: ${full.trim()}`, {
      hint: "make room, or put the cache elsewhere: SIPHON_CACHE_DIR=DIR",
    });
  }
  // apt and mmdebstrap mark error lines, and print more after them.
  const errors = said.filter((line) => line.startsWith("E: ")).slice(0, 3);
  const last = said.filter((line) => line.trim()).slice(-3);
  const words = (errors.length > 0 ? errors : last).join(" | ").slice(0, 600);
  return new LabError("SIPHON_PROGRAM_FAILED", `${command} failed (${exit}): ${words || "it said nothing"}`);
}

async function endGroup(pid: number, closed: Promise<unknown>): Promise<void> {
  signalGroup(pid, "SIGTERM");
  await Promise.race([closed.catch(() => {}), sleep(10_000, undefined, { ref: false })]);
  signalGroup(pid, "SIGKILL");
}

function signalGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch {
    // The whole group has ended.
  }
}
