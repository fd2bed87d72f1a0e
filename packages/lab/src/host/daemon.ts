import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { LabError } from "../errors.ts";
import type { Resource } from "../state/resource.ts";
import { lastWords, notStarted } from "./command.ts";
import { host, type Platform } from "./platform.ts";
import { endProcesses } from "./signals.ts";

export interface DaemonOptions {
  /** Name in messages: `osd.0`, `qemu`. */
  name: string;
  command: string;
  args: string[];
  /** Platform of the program; default: this host. */
  from?: Platform;
  /** Added to this process's environment. */
  env?: Record<string, string | undefined>;
  /** Its resource: holds its files, and lets `siphon clean` find it. */
  resource: Resource;
  /** File for its output in the resource's directory; default `NAME.out`. */
  output?: string;
}

/** How a daemon ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/**
 * A program that runs until it is stopped, in its own process group (a Ctrl-C in the terminal does not reach it) and
 * with its output in a file, so that it continues when siphon ends and the resource is kept.
 */
export class Daemon implements AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** Resolves when it ends; never rejects. */
  readonly exited: Promise<Exit>;
  readonly #outputFile: string;
  #exit: Exit | undefined;

  private constructor(name: string, pid: number, outputFile: string, exited: Promise<Exit>) {
    this.name = name;
    this.pid = pid;
    this.#outputFile = outputFile;
    this.exited = exited;
    void exited.then((exit) => {
      this.#exit = exit;
    });
  }

  static async start(options: DaemonOptions): Promise<Daemon> {
    const { name, command, args, from = host, env, resource, output = `${name}.out` } = options;
    const call = from.command(command, args, { env, cwd: resource.dir });
    const outputFile = resource.path(output);
    const fd = openSync(outputFile, "a", 0o600);
    try {
      const child = spawn(call.command, call.args, {
        cwd: resource.dir,
        env: { ...process.env, ...call.env, ...resource.environment },
        detached: true,
        stdio: ["ignore", fd, fd],
      });
      const exited = new Promise<Exit>((resolve) =>
        child.once("exit", (code, signal) => resolve({ code, signal })),
      );
      await once(child, "spawn");
      child.unref();
      return new Daemon(name, child.pid!, outputFile, exited);
    } catch (cause) {
      throw notStarted(call.command, cause);
    } finally {
      closeSync(fd);
    }
  }

  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** The end of what it wrote to its standard output and error, in one line. */
  lastWords(): string {
    // Its resource may have been removed while it ran.
    const stdout = existsSync(this.#outputFile) ? readFileSync(this.#outputFile, "utf8") : "";
    return lastWords({ stdout, stderr: "" });
  }

  /** The error for an unexpected end. */
  diedError(exit: Exit): LabError {
    const how = exit.signal ? `was ended by ${exit.signal}` : `ended with exit code ${exit.code}`;
    return new LabError("SIPHON_DAEMON_DIED", `${this.name} ${how}: ${this.lastWords()}`);
  }

  /** Awaits `work`, but throws at once if the daemon ends before. */
  async whileRunning<T>(work: Promise<T>): Promise<T> {
    const died = this.exited.then((exit) => {
      throw this.diedError(exit);
    });
    died.catch(() => {});
    return Promise.race([work, died]);
  }

  /** Ends it: SIGTERM and, after `graceMs` (0: at once), SIGKILL. */
  async stop({ graceMs = 0 } = {}): Promise<void> {
    await endProcesses([this.pid], { graceMs });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
