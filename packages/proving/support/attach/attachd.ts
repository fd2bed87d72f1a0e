import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { askService } from "@siphon/attach";
import { builtProgram } from "../../../../scripts/build/built-program.ts";
import { Patience } from "../../../lab/src/host/patience.ts";
import { cpuSeconds } from "../../../lab/src/host/proc.ts";
import type { FdStore } from "./fd-store.ts";
import { kill, run } from "./run.ts";

export interface AttachdOptions {
  /** Directory for its sockets and the files of its disks. */
  readonly directory: string;
  readonly conf: string;
  readonly args?: readonly string[];
  /** Starts the service as systemd would, or elsewhere. */
  readonly manager?: Pick<FdStore, "start">;
}

/** `siphon attachd` in a separate process, and the commands that control it. */
export class Attachd {
  readonly child: ChildProcess;
  readonly #control: string;
  readonly #lines: string[] = [];

  /** Returns once the service has tried to serve all disks that have files. */
  static async start(options: AttachdOptions): Promise<Attachd> {
    const attachd = new Attachd(options);
    try {
      await attachd.told(/^serves \d+ of \d+ disks?/);
      return attachd;
    } catch (error) {
      await attachd.kill();
      throw error;
    }
  }

  private constructor({ directory, conf, args = [], manager }: AttachdOptions) {
    const { disks, run: runtimeDirectory, control } = placesIn(directory);
    for (const each of [disks, runtimeDirectory]) mkdirSync(each, { recursive: true });
    this.#control = control;
    const where = ["--disks-dir", disks, "--runtime-dir", runtimeDirectory, "--conf", conf];
    const command = [process.execPath, main, "attachd", ...where, ...args];
    const stdio: StdioOptions = ["ignore", "ignore", "pipe"];
    this.child = manager?.start(command, stdio) ?? spawn(command[0]!, command.slice(1), { stdio });
    createInterface(this.child.stderr!).on("line", (line) => this.#lines.push(line));
  }

  /** All lines of its log. */
  get log(): string {
    return this.#lines.join("\n");
  }

  /** Waits until it has logged a matching line. */
  async told(line: RegExp, after = 0): Promise<void> {
    const waiting = this.#patience();
    while (!this.#lines.slice(after).some((each) => line.test(each))) {
      if (this.child.exitCode !== null || this.child.signalCode !== null || waiting.isOver) {
        throw new Error(`siphon attachd did not say ${line}: ${this.log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The number of lines logged so far, for `told`. */
  get said(): number {
    return this.#lines.length;
  }

  /** A command's JSON answer. Rejects with the command's error output if it fails. */
  async ask<T = Disk>(...words: string[]): Promise<T> {
    const call = [main, "attach", ...words, "--control", this.#control, "--json"];
    return JSON.parse(await run(process.execPath, call));
  }

  /** Waits until all disks are served: a dead client's lock, or a client that still drains, may delay that. */
  async servesAll(): Promise<void> {
    const waiting = this.#patience();
    for (;;) {
      // Without a process for each question, of which there may be many.
      const disks = (await askService(this.#control, { command: "list" })) as Disk[];
      if (disks.every(({ state }) => state === "serving")) return;
      if (waiting.isOver) throw new Error(`not all disks are served: ${JSON.stringify(disks)} ${this.log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Stops it cleanly. */
  async stop(): Promise<void> {
    const closed = once(this.child, "close");
    this.child.kill("SIGTERM");
    const hung = setTimeout(() => this.child.kill("SIGKILL"), patience);
    const [code] = await closed;
    clearTimeout(hung);
    if (code !== 0) throw new Error(`siphon attachd ended with ${code}: ${this.log}`);
  }

  kill(): Promise<void> {
    return kill(this.child);
  }

  /** On a machine whose processors and memory others use, a start may take minutes. */
  #patience(): Patience {
    const seconds = () => Math.floor(cpuSeconds(this.child.pid!) ?? 0);
    return new Patience({ progress: seconds, quietMs: patience });
  }
}

/** The fields of a disk that the tests check. */
export interface Disk {
  name: string;
  image: string;
  state: string;
  error?: string;
  persistent: boolean;
  file: string;
  limits: string;
  connections: number;
  shard?: number;
  io: { write: { operations: number } };
}

/** The command that controls the service, for other programs to call. */
export function attachCommand(): string[] {
  return [process.execPath, main, "attach"];
}

/** The paths of its files in a directory. */
export function placesIn(directory: string): { disks: string; run: string; control: string } {
  const runtimeDirectory = join(directory, "run");
  return {
    disks: join(directory, "disks.d"),
    run: runtimeDirectory,
    control: join(runtimeDirectory, "attachd.sock"),
  };
}

const main = builtProgram();
/** Milliseconds until it counts as hanging. */
const patience = 300_000;
