import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { kill } from "./run.ts";

/** Where an image is, as `siphon attach --json` tells. */
export interface Told {
  image: string;
  size: number;
  qemu: string[];
}

/** `siphon attach` in a process of its own, which can be killed. */
export class SiphonAttach {
  readonly child: ChildProcess;
  readonly told: Told[];
  readonly #errors: string[];

  /** Returns once the images are served. */
  static async start(...args: string[]): Promise<SiphonAttach> {
    const call = [main, "attach", ...args, "--json"];
    const child = spawn(process.execPath, call, { stdio: ["ignore", "pipe", "pipe"] });
    const errors: string[] = [];
    child.stderr.on("data", (bytes: Buffer) => errors.push(String(bytes)));
    const [said] = await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
    if (!Buffer.isBuffer(said)) throw new Error(`siphon attach ended: ${errors.join("")}`);
    return new SiphonAttach(child, JSON.parse(String(said)), errors);
  }

  private constructor(child: ChildProcess, told: Told[], errors: string[]) {
    this.child = child;
    this.told = told;
    this.#errors = errors;
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    const exited = once(this.child, "exit");
    this.child.kill("SIGTERM");
    const [code] = await exited;
    if (code !== 0) throw new Error(`siphon attach ended with ${code}: ${this.#errors.join("")}`);
  }

  kill(): Promise<void> {
    return kill(this.child);
  }
}

const main = new URL("../../../cli/src/main.ts", import.meta.url).pathname;
