import type { ChildProcess } from "node:child_process";
import { extname } from "node:path";
import { Heartbeat } from "@siphon/rbd/engine";
import type { SiphonError } from "@siphon/wire";
import { AttachError } from "../errors.ts";
import type { DiskFigures, ServedPoint } from "../server/attachment.ts";
import { formatImageSpec } from "../server/image-spec.ts";
import { errorOf, type Failure } from "./failure.ts";
import { forkProgram } from "./fork-program.ts";
import type { FromShard, ShardJob, ShardTask, ToShard } from "./messages.ts";

/** How a shard's process ended. */
export interface ShardEnd {
  /** All of its disks were closed in order. */
  readonly inOrder: boolean;
  /** The rest of a sentence about the shard: `was killed by SIGKILL`. */
  readonly how: string;
  readonly error: SiphonError;
}

/** One process of a shard, from its start to its end. It drains when this process is gone for any reason. */
export class ShardProcess {
  /** Rejected when it ends before. */
  readonly serving: Promise<readonly ServedPoint[]>;
  readonly ended: Promise<ShardEnd>;
  readonly #child: ChildProcess;
  readonly #serving = Promise.withResolvers<readonly ServedPoint[]>();
  readonly #ended = Promise.withResolvers<ShardEnd>();
  #measuring: PromiseWithResolvers<readonly DiskFigures[]> | undefined;
  readonly #tasks = new Map<number, PromiseWithResolvers<readonly ServedPoint[]>>();
  #lastTask = 0;
  #failure: Failure | undefined;
  #heartbeat: Heartbeat | undefined;
  #over: ShardEnd | undefined;
  /** Seconds without an answer for which it was killed. */
  #hungFor: number | undefined;

  constructor(job: ShardJob) {
    this.serving = this.#serving.promise;
    this.ended = this.#ended.promise;
    // The arguments only show in lists of processes. It has its own process group, so that this process handles Ctrl-C.
    this.#child = forkProgram(program, (job.request?.images ?? []).map(formatImageSpec), {
      ...{ serialization: "advanced", detached: true },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#child.on("message", (message: FromShard) => this.#receive(message));
    this.#child.on("error", (error) => {
      if (this.#child.pid === undefined) this.#end(false, `could not be started: ${error.message}`);
    });
    this.#child.on("exit", (code, signal) => {
      const failed = code === 0 ? "ended" : `ended with exit code ${code}`;
      this.#end(code === 0, signal === null ? failed : `was killed by ${signal}`);
    });
    this.#tell({ type: "serve", job });
  }

  /** Figures of its images; empty if it does not answer in time. */
  measure(): Promise<readonly DiskFigures[]> {
    if (this.#measuring === undefined) {
      const measuring = Promise.withResolvers<readonly DiskFigures[]>();
      this.#measuring = measuring;
      const late = setTimeout(() => measuring.resolve([]), patience);
      void measuring.promise.then(() => {
        clearTimeout(late);
        this.#measuring = undefined;
      });
      this.#tell({ type: "measure" });
    }
    return this.#measuring.promise;
  }

  /** As `DiskHost` has it. Rejected when the process ends before it is done. */
  carryOut(task: ShardTask): Promise<readonly ServedPoint[]> {
    const id = ++this.#lastTask;
    const done = Promise.withResolvers<readonly ServedPoint[]>();
    this.#tasks.set(id, done);
    this.#tell({ type: "task", id, task });
    if (this.#over !== undefined) this.#rejectTasks(this.#over.error);
    return done.promise;
  }

  drain(): void {
    this.#tell({ type: "drain" });
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Kills the process from now on if it does not answer for this time. */
  watch(seconds: number): void {
    this.#heartbeat = new Heartbeat({
      seconds,
      ask: () => this.#tell({ type: "ask" }),
      hung: () => {
        this.#hungFor = seconds;
        this.kill();
      },
    });
  }

  #tell(message: ToShard): void {
    // Sending fails only if the process has ended, which is handled elsewhere.
    if (this.#child.connected) this.#child.send(message, () => {});
    else this.#measuring?.resolve([]);
  }

  #receive(message: FromShard): void {
    if (message.type === "serving") this.#serving.resolve(message.points);
    else if (message.type === "alive") this.#heartbeat?.answered();
    else if (message.type === "measured") this.#measuring?.resolve(message.disks);
    else if (message.type === "failed") this.#failure = message.failure;
    else {
      const task = this.#tasks.get(message.id);
      this.#tasks.delete(message.id);
      if (message.type === "done") task?.resolve(message.points);
      else task?.reject(errorOf(message.failure));
    }
  }

  #end(inOrder: boolean, exit: string): void {
    this.#heartbeat?.[Symbol.dispose]();
    const last = this.#hungFor === undefined ? exit : `did not answer for ${this.#hungFor} s and was killed`;
    const failure = this.#failure;
    const how = failure === undefined ? last : `ended: ${failure.message}`;
    const error =
      failure === undefined
        ? new AttachError("SIPHON_ATTACH_SHARD", `a shard ${how}`, { retryable: true })
        : errorOf(failure);
    this.#over = { inOrder, how, error };
    this.#ended.resolve(this.#over);
    this.#serving.reject(error);
    this.#rejectTasks(error);
    this.#measuring?.resolve([]);
  }

  #rejectTasks(error: SiphonError): void {
    for (const task of this.#tasks.values()) task.reject(error);
    this.#tasks.clear();
  }
}

const program = new URL(`./shard-program${extname(import.meta.filename)}`, import.meta.url);
/** Milliseconds for a shard to report its figures. */
const patience = 2000;
