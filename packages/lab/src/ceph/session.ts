import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { LabError } from "../errors.ts";
import { notStarted } from "../host/command.ts";
import type { Platform } from "../host/platform.ts";
import { type Asked, cephFailure, isLogLine } from "./failure.ts";

export interface CephSessionOptions {
  conf: string;
  user: string;
  env: Record<string, string | undefined>;
  from: Platform;
  connectSeconds: number;
  /** Ends the process and fails pending calls. */
  signal?: AbortSignal;
}

interface Pending {
  asked: Asked;
  lines: string[];
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * One `ceph` process that reads commands from its standard input. An answer has no end marker, so each command is
 * followed by `fsid`, whose answer is always the same line. Both outputs go into one pipe, so that errors and answers
 * stay in order.
 */
export class CephSession implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #options: CephSessionOptions;
  readonly #pending: Pending[] = [];
  /** Output outside of any answer, such as a failure to connect. */
  #words: string[] = [];
  #ended: Promise<void>;
  #failure: unknown;

  private constructor(child: ChildProcess, options: CephSessionOptions) {
    this.#child = child;
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    const lines = createInterface({ input: child.stdout! });
    lines.on("line", (line) => this.#onLine(line));
    // 'close' of the process comes after the last line was read.
    child.on("close", () => {
      this.#end();
      resolve();
    });
    child.stdin!.on("error", () => {});
    options.signal?.addEventListener("abort", this.#onAbort);
    if (options.signal?.aborted) this.#onAbort();
  }

  /** Starts the process and waits until the cluster has answered once. */
  static async open(options: CephSessionOptions): Promise<CephSession> {
    options.signal?.throwIfAborted();
    const { conf, user, connectSeconds, env, from } = options;
    const args = ["--conf", conf, "--id", user, "--connect-timeout", `${connectSeconds}`, "--format", "json"];
    const call = from.command("sh", ["-c", 'exec ceph "$@" 2>&1', "sh", ...args], { env });
    const child = spawn(call.command, call.args, {
      env: { ...process.env, ...call.env, PYTHONUNBUFFERED: "1" },
      detached: true,
      stdio: ["pipe", "pipe", "ignore"],
    });
    const started = Promise.withResolvers<void>();
    child.once("spawn", started.resolve).once("error", (cause) => started.reject(notStarted("sh", cause)));
    await started.promise;
    const session = new CephSession(child, options);
    await session.command([]);
    return session;
  }

  /**
   * Runs one command; returns its answer parsed from JSON, or undefined when it has none. `fsid` itself cannot be asked.
   *
   * @throws what CephClient.command throws; after SIPHON_TIMEOUT the session has ended
   */
  async command(
    args: string[],
    { what = `run ceph ${args.join(" ")}`, timeoutMs = 120_000 } = {},
  ): Promise<unknown> {
    if (this.#failure) throw this.#failure;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const { user, conf } = this.#options;
    this.#pending.push({ asked: { what, user, conf }, lines: [], resolve, reject });
    this.#child.stdin!.write(`${args.map(quote).join(" ")}\nfsid\n`);
    const timer = setTimeout(() => {
      // Later calls in the queue cannot be answered either.
      this.#words.push("interrupted or timed out");
      this.#child.kill("SIGKILL");
    }, timeoutMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin!.end();
    // An orderly exit of Python and librados takes a while, and nothing needs it.
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  #onLine(line: string): void {
    const pending = this.#pending[0];
    if (!pending || isLogLine(line)) this.#words.push(line);
    else if (/^\{"fsid":"[0-9a-f-]{36}"\}$/.test(line)) {
      this.#pending.shift();
      try {
        pending.resolve(answerIn(pending.lines, pending.asked));
      } catch (error) {
        pending.reject(error);
      }
    } else pending.lines.push(line);
  }

  #onAbort = (): void => {
    this.#child.kill("SIGKILL");
  };

  #end(): void {
    const { signal, user, conf } = this.#options;
    signal?.removeEventListener("abort", this.#onAbort);
    const words = [...this.#words, ...(this.#pending[0]?.lines ?? [])].join("\n");
    // The shell's exit code for a program that was not found.
    const missing = this.#child.exitCode === 127 && notStarted("ceph", { code: "ENOENT" });
    for (const { asked, reject } of this.#pending.splice(0)) {
      reject(signal?.aborted ? signal.reason : missing || cephFailure(asked, words));
    }
    this.#failure = new LabError("SIPHON_CLUSTER", `the ceph session of client.${user} (${conf}) has ended`);
  }
}

/** Quoting for the shell-like splitting of lines by `ceph`. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'"'"'`)}'`;
}

/** The answer among the lines that a command printed; throws when they tell of an error. */
function answerIn(lines: string[], asked: Asked): unknown {
  const failed = lines.findIndex((line) => /^Error E[A-Z0-9]+:|^invalid command/i.test(line));
  if (failed >= 0) throw cephFailure(asked, lines.slice(failed).join("\n"));
  // Status texts ("pool 'p' created") come first, JSON (in one line or more) last.
  for (const first of lines.keys()) {
    try {
      return JSON.parse(lines.slice(first).join("\n"));
    } catch {
      // Not from here on.
    }
  }
  return undefined;
}
