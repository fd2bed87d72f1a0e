import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { commandLineOf, pidsWithEnvironment } from "../../packages/lab/src/host/proc.ts";
import { endProcesses } from "../../packages/lab/src/host/signals.ts";

export interface FileResult {
  file: string;
  seconds: number;
  /** Why the file as a whole failed; undefined when it passed. */
  failure?: string;
  /** What node's runner printed, without its summary. */
  output: string;
  /** The failed tests, as the runner lists them at its end. */
  failingTests: string;
  counts: Counts;
}

export type Counts = { [kind in "tests" | "pass" | "fail" | "cancelled" | "skipped"]: number };

/** A file takes a minute or two; machines that run tests are up to four times slower than a developer's. */
const LIMIT_MS = 12 * 60_000;
/** Time that a process has to end before it counts as left running. */
const GRACE_MS = 5_000;
/** Marks whatever a file starts. */
const MARK = "SIPHON_TEST_FILE";

/** With SIPHON_WORKERS=N images that tests open have N workers, through which the tests read and write. */
function withWorkers(): string[] {
  if (process.env.SIPHON_WORKERS === undefined) return [];
  const module = new URL("../../packages/proving/support/rbd/with-workers.ts", import.meta.url);
  return ["--import", module.href];
}

/**
 * Runs the tests of a file. All processes that it started have ended when this resolves. Failing tests never reject it.
 */
export async function runFile(
  file: string,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<FileResult> {
  const began = performance.now();
  const mark = randomUUID();
  const running = () => pidsWithEnvironment(MARK, (value) => value === mark);
  const flags = ["--test", "--test-force-exit", "--test-timeout=300000", "--test-reporter=spec"];
  const child = spawn(process.execPath, [...withWorkers(), ...flags, file], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env: { ...process.env, ...environment, [MARK]: mark },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
    });
  }
  const ended = once(child, "exit").then(([code, killedBy]) => `exit code ${code ?? killedBy}`);
  const limit = AbortSignal.any([AbortSignal.timeout(LIMIT_MS), signal]);
  const cut = once(limit, "abort").then(() => "cut");
  let end = await Promise.race([ended, cut]);
  let failure = end === "exit code 0" ? undefined : end;
  if (end === "cut") {
    failure = signal.aborted ? "interrupted" : `not over after ${LIMIT_MS / 1000} s`;
    // When asked to end, the runner reports the tests that were still running.
    child.kill("SIGTERM");
    end = await Promise.race([ended, sleep(GRACE_MS, "hangs")]);
  } else {
    const deadline = performance.now() + GRACE_MS;
    while (running().length > 0 && performance.now() < deadline) await sleep(50);
    const left = running().flatMap((pid) => commandLineOf(pid)?.slice(0, 200) ?? []);
    if (left.length > 0) failure ??= `left running: ${left.join("; ")}`;
  }
  await endProcesses(running());
  await ended;
  const [output, failingTests] = partsOf(text);
  const seconds = Math.round((performance.now() - began) / 1000);
  return { file, seconds, failure, output, failingTests, counts: countsIn(text) };
}

/** The runner's text before its summary, and the failing tests behind it. */
function partsOf(text: string): [output: string, failingTests: string] {
  const summary = text.search(/^ℹ tests \d+$/m);
  const failing = text.indexOf("✖ failing tests:", summary);
  if (summary < 0) return [text, text.slice(-4000)];
  return [text.slice(0, summary), failing < 0 ? "" : text.slice(failing)];
}

function countsIn(text: string): Counts {
  const count = (kind: string) => Number(new RegExp(`^ℹ ${kind} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
  const [tests, pass, fail, cancelled, skipped] = ["tests", "pass", "fail", "cancelled", "skipped"].map(
    count,
  );
  return { tests, pass, fail, cancelled, skipped } as Counts;
}
