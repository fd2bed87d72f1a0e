import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { builtProgram } from "../../../../scripts/build/built-program.ts";
import { kill } from "./run.ts";

/** An image's address, from `siphon attach --json`. */
export interface Told {
  image: string;
  size: number;
  qemu: string[];
}

export interface StartOptions {
  args: readonly string[];
  /** Maximum number of open files. */
  openFiles?: number | undefined;
}

/** `siphon attach` in a separate process that can be killed. */
export class SiphonAttach {
  readonly child: ChildProcess;
  readonly told: Told[];
  readonly #errors: string[];

  /** Returns once the images are served. */
  static start(options: StartOptions): Promise<SiphonAttach>;
  static start(...args: string[]): Promise<SiphonAttach>;
  static async start(first: string | StartOptions, ...rest: string[]): Promise<SiphonAttach> {
    const { args, openFiles } = typeof first === "string" ? { args: [first, ...rest] } : first;
    const call = [process.execPath, main, "attach", ...args, "--json"];
    const limited = openFiles === undefined ? call : ["prlimit", `--nofile=${openFiles}`, ...call];
    const child = spawn(limited[0]!, limited.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
    const errors: string[] = [];
    child.stderr.on("data", (bytes: Buffer) => errors.push(String(bytes)));
    const hung = setTimeout(() => child.kill("SIGKILL"), patience);
    const [said] = await Promise.race([once(child.stdout, "data"), once(child, "close")]);
    clearTimeout(hung);
    if (!Buffer.isBuffer(said)) throw new Error(`siphon attach ended: ${errors.join("")}`);
    return new SiphonAttach(child, JSON.parse(String(said)), errors);
  }

  private constructor(child: ChildProcess, told: Told[], errors: string[]) {
    this.child = child;
    this.told = told;
    this.#errors = errors;
  }

  /** Its standard error so far. */
  get errors(): string {
    return this.#errors.join("");
  }

  /** Pids of its shards, in order. */
  get shards(): number[] {
    const { pid } = this.child;
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resident memory in bytes: current and peak. */
  get memory(): { now: number; most: number } {
    const status = readFileSync(`/proc/${this.child.pid}/status`, "utf8");
    const of = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)![1]) * 1024;
    return { now: of("VmRSS"), most: of("VmHWM") };
  }

  /** Stops it cleanly. */
  async stop(): Promise<void> {
    const code = await this.terminate();
    if (code !== 0) throw new Error(`siphon attach ended with ${code}: ${this.errors}`);
  }

  /** Asks it to end, and returns its exit code; null if it had to be killed. */
  async terminate(): Promise<number | null> {
    const closed = once(this.child, "close");
    this.child.kill("SIGTERM");
    const hung = setTimeout(() => this.child.kill("SIGKILL"), patience);
    const [code] = await closed;
    clearTimeout(hung);
    return code;
  }

  kill(): Promise<void> {
    return kill(this.child);
  }
}

const main = builtProgram();
/** Milliseconds until it counts as hanging. */
const patience = 300_000;
