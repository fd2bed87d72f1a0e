import type { ChildProcess } from "node:child_process";
import { extname } from "node:path";
import { SiphonError } from "@siphon/wire";
import { AttachError } from "../errors.ts";
import type { DiskFigures, ServedPoint } from "../server/attachment.ts";
import { formatImageSpec } from "../server/image-spec.ts";
import { forkProgram } from "./fork-program.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { FromShard, ShardFailure, ShardJob, ToShard } from "./messages.ts";

/** How a shard's process ended. */
export interface ShardEnd {
  /** Everything it served was put away. */
  readonly inOrder: boolean;
  /** As a sentence goes on that begins with the shard: `was killed by SIGKILL`. */
  readonly how: string;
  readonly error: SiphonError;
}

/** One process of a shard, from its start to its end. It drains when this process is gone, however that ended. */
export class ShardProcess {
  /** Rejected when it ends before. */
  readonly serving: Promise<readonly ServedPoint[]>;
  readonly ended: Promise<ShardEnd>;
  readonly #child: ChildProcess;
  readonly #serving = Promise.withResolvers<readonly ServedPoint[]>();
  readonly #ended = Promise.withResolvers<ShardEnd>();
  #measuring: PromiseWithResolvers<readonly DiskFigures[]> | undefined;
  #failure: ShardFailure | undefined;
  #heartbeat: Heartbeat | undefined;
  /** It was ended since it did not answer for so many seconds. */
  #hungFor: number | undefined;

  constructor(job: ShardJob) {
    this.serving = this.#serving.promise;
    this.ended = this.#ended.promise;
    // Its arguments are for people who look at processes. A group of its own: Ctrl-C is this process's to pass on.
    this.#child = forkProgram(program, job.request.images.map(formatImageSpec), {
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

  /** Figures of its images; empty when it does not answer in time. */
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

  drain(): void {
    this.#tell({ type: "drain" });
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** From now on it is ended when it does not answer for so long. */
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
    // A process that cannot hear this has ended, which is noticed elsewhere.
    if (this.#child.connected) this.#child.send(message, () => {});
    else this.#measuring?.resolve([]);
  }

  #receive(message: FromShard): void {
    if (message.type === "serving") this.#serving.resolve(message.points);
    else if (message.type === "alive") this.#heartbeat?.answered();
    else if (message.type === "measured") this.#measuring?.resolve(message.disks);
    else this.#failure = message.failure;
  }

  #end(inOrder: boolean, exit: string): void {
    this.#heartbeat?.[Symbol.dispose]();
    const { code, message, ...options } = this.#failure ?? {};
    const last = this.#hungFor === undefined ? exit : `did not answer for ${this.#hungFor} s and was killed`;
    const how = message === undefined ? last : `ended: ${message}`;
    const error =
      code !== undefined && message !== undefined
        ? new SiphonError(code, message, options)
        : new AttachError("SIPHON_ATTACH_SHARD", `a shard ${how}`);
    this.#ended.resolve({ inOrder, how, error });
    this.#serving.reject(error);
    this.#measuring?.resolve([]);
  }
}

const program = new URL(`./shard-program${extname(import.meta.filename)}`, import.meta.url);
/** Milliseconds for a shard to tell its figures. */
const patience = 2000;
