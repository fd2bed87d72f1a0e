import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { LabError } from "../../errors.ts";
import { notStarted } from "../../host/command.ts";
import { Lines } from "../../host/lines.ts";
import { within } from "../../host/within.ts";

/** Milliseconds for one answer; the first answers wait until gdb has read all symbols. */
const ANSWER_MS = 120_000;
const EXIT_MS = 10_000;

/**
 * A gdb controlled through its machine interface: one command per line, with a number that its answer repeats
 * (`NUMBER^done,...`). Source: the gdb manual, "The GDB/MI Interface".
 */
export class GdbMi implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<never>;
  readonly #waiting = new Map<number, PromiseWithResolvers<string>>();
  #next = 1;

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    const lines = new Lines((line) => this.#onLine(line));
    child.stdout.on("data", (bytes: Buffer) => lines.push(bytes));
    child.stderr.resume();
    child.stdin.on("error", () => {}); // its end is reported by its exit
    this.#ended = once(child, "exit").then(() => {
      throw new LabError("SIPHON_PROGRAM_FAILED", "gdb ended while it was needed");
    });
    this.#ended.catch(() => {});
  }

  static async start(environment: Record<string, string>): Promise<GdbMi> {
    const child = spawn("gdb", ["--quiet", "--nx", "--interpreter=mi3"], {
      env: { ...process.env, ...environment, DEBUGINFOD_URLS: "" },
      detached: true, // a Ctrl-C in the terminal must not reach gdb, and through it the process
    });
    try {
      await once(child, "spawn");
    } catch (cause) {
      throw notStarted("gdb", cause);
    }
    return new GdbMi(child);
  }

  /** The text of the answer after its class; throws when gdb answers with an error. */
  async ask(command: string): Promise<string> {
    const number = this.#next++;
    const answer = Promise.withResolvers<string>();
    this.#waiting.set(number, answer);
    this.#child.stdin.write(`${number}${command}\n`);
    try {
      const what = `gdb did not answer ${command}`;
      return await within(Promise.race([answer.promise, this.#ended]), { timeoutMs: ANSWER_MS, what });
    } finally {
      this.#waiting.delete(number);
    }
  }

  /** Detaches from the process, and ends gdb. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      await this.ask("-target-detach").catch(() => {}); // not attached
      this.#child.stdin.end("-gdb-exit\n");
    }
    const kill = setTimeout(() => this.#child.kill("SIGKILL"), EXIT_MS);
    await this.#ended.catch(() => {});
    clearTimeout(kill);
  }

  #onLine(line: string): void {
    const [, number, kind, rest] = /^(\d+)\^(\w+),?(.*)$/.exec(line) ?? [];
    const answer = this.#waiting.get(Number(number));
    if (kind === "error") answer?.reject(new LabError("SIPHON_PROGRAM_FAILED", `gdb: ${messageOf(rest)}`));
    else answer?.resolve(rest);
  }
}

/** Unquotes a string of the machine interface. */
export function unquote(text: string): string {
  return text.replace(/\\(["\\nt])/g, (_, character: string) => escapes[character]!);
}

const escapes: Record<string, string> = { '"': '"', "\\": "\\", n: "\n", t: "\t" };

function messageOf(rest: string): string {
  return unquote(/msg="((?:[^"\\]|\\.)*)"/.exec(rest)?.[1] ?? rest).replaceAll("\n", " ");
}
