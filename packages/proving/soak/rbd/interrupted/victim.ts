import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { OperationName } from "./operations.ts";
import type { Stage } from "./stage.ts";

export interface ToWorker {
  operation: OperationName;
  /** The process kills itself after this many writes to its sockets. */
  killAtWrite?: number;
}

export type FromWorker =
  | { type: "ready" }
  | { type: "done"; writes: number }
  | { type: "failed"; message: string };

/** When a process is killed: after this many milliseconds, or after this many writes to its sockets. */
export type Moment = { by: "time"; at: number } | { by: "write"; at: number };

/** The outcome; `took` is in milliseconds. */
export type Outcome = { killed: true } | { killed: false; took: number; writes: number };

/** A process that is ready to run a long operation, and can be killed during it. */
export class Victim implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<[]>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, "exit").then(() => []);
  }

  static async start({ conf, pool, diff, compiled }: Stage): Promise<Victim> {
    const worker = fileURLToPath(new URL("./worker.ts", import.meta.url));
    const victim = new Victim(
      fork(worker, [conf, pool, diff], { env: { ...process.env, NODE_COMPILE_CACHE: compiled } }),
    );
    if ((await victim.#message()) === undefined) throw new Error("the worker ended before it began");
    return victim;
  }

  /** @param moment undefined: the process is not killed */
  async perform(operation: OperationName, moment?: Moment): Promise<Outcome> {
    const began = performance.now();
    const said = this.#message();
    this.#child.send({
      operation,
      ...(moment?.by === "write" && { killAtWrite: moment.at }),
    } satisfies ToWorker);
    if (moment?.by === "time") {
      await Promise.race([said, sleep(moment.at)]);
      this.#child.kill("SIGKILL");
    }
    const message = await said;
    const took = performance.now() - began;
    if (message?.type === "done") return { killed: false, took, writes: message.writes };
    if (message !== undefined) throw new Error(`${operation} failed: ${JSON.stringify(message)}`);
    if (this.#child.signalCode !== "SIGKILL") throw new Error("the worker ended by itself");
    return { killed: true };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** The process's next message; undefined if the process ends. */
  async #message(): Promise<FromWorker | undefined> {
    const said = once(this.#child, "message", { signal: AbortSignal.timeout(hangs) });
    const [message] = (await Promise.race([said, this.#ended])) as [FromWorker?];
    return message;
  }
}

/** Milliseconds until the process counts as hanging. */
const hangs = 120_000;
