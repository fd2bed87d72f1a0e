import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { builtProgram } from "../../../../scripts/build/built-program.ts";
import { refuseSocketInUse } from "../../../attach/src/server/unix-socket.ts";
import type { Ground } from "./contender.ts";

/** A program that serves an image at a socket. */
export class Serving implements AsyncDisposable {
  readonly socket: string;
  readonly #child: ChildProcess;

  /** Waits until something listens at the socket. */
  static async start(command: string, args: readonly string[], socket: string): Promise<Serving> {
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] });
    const serving = new Serving(child, socket);
    for (;;) {
      if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
      const lives = await refuseSocketInUse(socket).then(
        () => false,
        () => true,
      );
      if (lives) return serving;
      await sleep(100);
    }
  }

  private constructor(child: ChildProcess, socket: string) {
    this.#child = child;
    this.socket = socket;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** CPU of all its threads since its start, in seconds. */
  get cpu(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exited;
  }
}

/** `siphon attach` on an image, with further arguments that name the socket. */
export function siphonAttach(
  ground: Ground,
  image: string,
  args: string[],
  socket: string,
): Promise<Serving> {
  const main = builtProgram();
  const call = [main, "attach", `${ground.pool}/${image}`, "--conf", ground.conf, ...args];
  return Serving.start(process.execPath, call, socket);
}

/** USER_HZ, which is fixed in Linux's ABI. */
const ticksPerSecond = 100;
