import type { ChildProcess } from "node:child_process";
import { pipeline } from "node:stream/promises";
import { exec } from "tinyexec";
import { LabError } from "../errors.ts";
import { host, type Platform } from "./platform.ts";

/** How to run a program to its end. */
export interface RunOptions {
  /** Platform of the program; default: this host. */
  from?: Platform;
  /** Added to this process's environment; undefined removes a variable. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Written to the program's standard input, as fast as it reads. */
  input?: string | AsyncIterable<Uint8Array>;
  /** Milliseconds until it is terminated; default 60,000. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Called with its pid. */
  onStart?: (pid: number) => void;
  /** Called with each piece of its standard output. */
  onStdout?: (text: string) => void;
  /** Return for any exit code instead of throwing. */
  anyExitCode?: boolean;
}

export interface RunResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program to its end, in a process group of its own (a Ctrl-C in the terminal reaches only siphon, which ends it
 * in order).
 *
 * @throws LabError SIPHON_MISSING_PROGRAM, SIPHON_TIMEOUT or SIPHON_PROGRAM_FAILED; the message has the program's last
 * output
 */
export async function run(
  command: string,
  args: string[] = [],
  options: RunOptions = {},
): Promise<RunResult> {
  const {
    from = host,
    cwd,
    input,
    timeoutMs = 60_000,
    signal,
    onStart,
    onStdout,
    anyExitCode = false,
  } = options;
  signal?.throwIfAborted();
  const call = from.command(command, args, options);
  const timeout = AbortSignal.timeout(timeoutMs);
  const stop = signal ? AbortSignal.any([signal, timeout]) : timeout;
  const result = exec(call.command, call.args, {
    stdin: typeof input === "string" ? input : undefined,
    nodeOptions: {
      cwd,
      env: { ...process.env, ...call.env },
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    },
  });
  const stdin = result.process?.stdin;
  // A program may end without reading all of its input.
  stdin?.on("error", () => {});
  if (input === undefined) stdin?.end();
  else if (typeof input !== "string" && stdin) void pipeline(input, stdin).catch(() => {});
  if (onStart && result.pid !== undefined) onStart(result.pid);
  if (onStdout) result.process?.stdout?.setEncoding("utf8").on("data", onStdout);
  using _ = endingOn(stop, result.process);
  let output: Awaited<typeof result>;
  try {
    output = await result;
  } catch (cause) {
    signal?.throwIfAborted();
    if (timeout.aborted) throw timedOut(command, timeoutMs);
    throw notStarted(call.command, cause);
  }
  signal?.throwIfAborted();
  if (timeout.aborted) throw timedOut(command, timeoutMs);
  const exitCode = output.exitCode ?? -1;
  if (exitCode !== 0 && !anyExitCode) {
    throw new LabError(
      "SIPHON_PROGRAM_FAILED",
      `${command} failed (exit code ${exitCode}): ${lastWords(output)}`,
    );
  }
  return { exitCode, stdout: output.stdout, stderr: output.stderr };
}

/** Milliseconds for a program to end in order. */
const GRACE_MS = 2_000;

/**
 * Ends a process group when `stop` is aborted: SIGTERM, then SIGKILL, because fio may wait for I/O that never
 * completes, and leaves its children behind. Does not wait for processes outside the group that hold its output open,
 * such as ssh's master.
 */
function endingOn(stop: AbortSignal, child: ChildProcess | undefined): Disposable {
  const pid = child?.pid;
  let timer: NodeJS.Timeout | undefined;
  const letGo = () => {
    child?.stdout?.destroy();
    child?.stderr?.destroy();
  };
  const signalGroup = (name: NodeJS.Signals) => {
    try {
      if (pid !== undefined) process.kill(-pid, name);
    } catch {
      // All of it has ended.
    }
  };
  const onAbort = () => {
    signalGroup("SIGTERM");
    if (child?.exitCode === null && child.signalCode === null) child.once("exit", letGo);
    else letGo();
    timer = setTimeout(signalGroup, GRACE_MS, "SIGKILL");
  };
  stop.addEventListener("abort", onAbort, { once: true });
  return {
    [Symbol.dispose]: () => {
      stop.removeEventListener("abort", onAbort);
      clearTimeout(timer);
      if (stop.aborted) signalGroup("SIGKILL");
    },
  };
}

/** Whether a program can be found in PATH (with /usr/sbin and /sbin, where Debian keeps some). */
export async function which(program: string): Promise<string | undefined> {
  const found = await run("sh", ["-c", 'PATH="$PATH:/usr/sbin:/sbin"; command -v -- "$1"', "sh", program], {
    anyExitCode: true,
  });
  return found.exitCode === 0 ? found.stdout.trim() : undefined;
}

/** A program's last non-empty lines, joined, for error messages. */
export function lastWords({ stdout, stderr }: { stdout: string; stderr: string }, lines = 3): string {
  const text = stderr.trim() || stdout.trim();
  return text ? inOneLine(text, lines).slice(-600) : "it said nothing";
}

/** The last lines of what a program says, all unless told. ssh ends its lines as a terminal in raw mode needs them. */
export function inOneLine(said: string, lines = Number.POSITIVE_INFINITY): string {
  return said
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "")
    .slice(-lines)
    .join(" | ");
}

export function notStarted(command: string, cause: unknown): LabError {
  if ((cause as NodeJS.ErrnoException).code === "ENOENT") {
    return new LabError("SIPHON_MISSING_PROGRAM", `cannot find the program ${command}`, {
      cause,
      hint: "npm run setup installs what is missing, or names the packages",
    });
  }
  return new LabError("SIPHON_PROGRAM_FAILED", `cannot start ${command}: ${(cause as Error).message}`, {
    cause,
  });
}

function timedOut(command: string, timeoutMs: number): LabError {
  return new LabError(
    "SIPHON_TIMEOUT",
    `${command} did not end within ${timeoutMs / 1000} s and was stopped`,
    { retryable: true },
  );
}
