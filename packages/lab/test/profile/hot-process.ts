import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const program = new URL("./hot-program.js", import.meta.url).pathname;

/** A running Node process whose main thread does nothing but `veryHot`, with names for its compiled code. */
export class HotProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #dir: string;

  private constructor(child: ChildProcess, dir: string) {
    this.child = child;
    this.#dir = dir;
  }

  /** Returns when the hot function is compiled and its name is written down. */
  static async start(): Promise<HotProcess> {
    // V8 leaves a log where it runs.
    const cwd = await mkdtemp(join(tmpdir(), "siphon-hot-"));
    const child = spawn(process.execPath, ["--perf-basic-prof", program], { cwd, stdio: "ignore" });
    await once(child, "spawn");
    const hot = new HotProcess(child, cwd);
    while (!read(hot.#map).includes("*veryHot")) await sleep(20);
    return hot;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Threads that stand still because a signal or a tracer stopped them. */
  stopped(): string[] {
    return readdirSync(`/proc/${this.pid}/task`).filter((tid) =>
      /^State:\s*[Tt]/m.test(read(`/proc/${this.pid}/task/${tid}/status`)),
    );
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill("SIGKILL");
    await once(this.child, "exit");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#map, { force: true });
    await rm(this.#dir, { recursive: true, force: true });
  }

  get #map(): string {
    return `/tmp/perf-${this.pid}.map`;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
