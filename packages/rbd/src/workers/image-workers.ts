import { extname } from "node:path";
import { MessageChannel, type Worker } from "node:worker_threads";
import type { Cluster } from "@siphon/rados";
import { RbdError } from "../errors.ts";
import type { OpenOptions } from "../image/open-options.ts";
import type { ImageIo } from "../io/image-io.ts";
import type { WorkerStart } from "./messages.ts";
import type { OwnerIo } from "./owner-io.ts";
import { plainError } from "./plain-error.ts";
import { Inbox, runHere, type WorkerRun } from "./run-here.ts";
import { startThread } from "./start-thread.ts";
import { type WorkedImage, WorkerHang, WorkerLink, type WorkerOptions } from "./worker-link.ts";

/**
 * Threads of this process that read and write one image, each as a client of the cluster with connections of its own.
 * They share nothing on the data path. This thread holds the lock and the watch, and all of them are fenced together:
 * see docs/scaling.md.
 *
 * ```ts
 * await using image = await images.open("disk", { workers: 4 });
 * const sums = await image.workers!.run(new URL("./sum-part.ts", import.meta.url), { seed: 1 });
 * ```
 */
export class ImageWorkers {
  readonly #image: WorkedImage & { readonly cluster: Cluster };
  readonly #io: OwnerIo;
  readonly #options: WorkerOptions;
  #threads: WorkerThread[] = [];
  #runs = 0;
  #closing = false;

  /** @internal */
  constructor(image: WorkedImage & { readonly cluster: Cluster }, io: OwnerIo, options: WorkerOptions) {
    this.#image = image;
    this.#io = io;
    this.#options = options;
  }

  /** Number of threads that read and write; 1 if only this thread can. */
  get count(): number {
    return Math.max(1, this.#threads.length);
  }

  /** Whether functions run in this thread, because the OSDs would not fence workers together with it. */
  get isSingle(): boolean {
    return this.#threads.length === 0;
  }

  /**
   * Calls a module's exported function `inWorker` in each worker, with the image's I/O and a `WorkerRun`.
   *
   * @param module `new URL("./name.ts", import.meta.url)`
   * @param data any data that `structuredClone` accepts
   * @returns the functions' results, by worker
   * @throws the first function's error, after the others were aborted and all have ended
   */
  run(module: URL, data: unknown, options: RunOptions = {}): Promise<unknown[]> {
    return this.start(module, data, options).ended;
  }

  /** As `run`, for functions that receive messages while they run. */
  start(module: URL, data: unknown, options: RunOptions = {}): WorkersRun {
    const run = ++this.#runs;
    if (this.isSingle) {
      const inbox = new Inbox();
      const ended = this.#runHere(module, data, inbox, options);
      return { ended, tell: (_, message) => inbox.put(message) };
    }
    const tell = (index: number, message: unknown) =>
      this.#threads[index]?.link.tell({ type: "tell", run, message });
    return { ended: this.#runThere(run, module, data, options), tell };
  }

  async #runHere(
    module: URL,
    data: unknown,
    { listen }: Inbox,
    { signal, onMessage }: RunOptions,
  ): Promise<unknown[]> {
    signal?.throwIfAborted();
    const tell = (message: unknown) => onMessage?.(message, 0);
    return [await runHere(module.href, this.#io, { index: 0, count: 1, data, signal, tell, listen })];
  }

  async #runThere(
    run: number,
    module: URL,
    data: unknown,
    { signal, onMessage }: RunOptions,
  ): Promise<unknown[]> {
    signal?.throwIfAborted();
    const { count } = this;
    const told = (index: number) => (message: unknown) => onMessage?.(message, index);
    const links = this.#threads.map(({ link }) => link);
    const abort = (error: Error) => {
      for (const link of links) link.tell({ type: "abort", run, error: plainError(error) });
    };
    const onAbort = () => abort(signal!.reason);
    signal?.addEventListener("abort", onAbort);
    let failure: Error | undefined;
    try {
      const results = links.map(async (link, index) => {
        link.listeners.set(run, told(index));
        try {
          return await link.run({ type: "run", run, module: module.href, index, count, data });
        } catch (error) {
          if (failure === undefined) abort(error as Error);
          failure ??= error as Error;
          return undefined;
        } finally {
          link.listeners.delete(run);
        }
      });
      const all = await Promise.all(results);
      signal?.throwIfAborted();
      if (failure !== undefined) throw failure;
      return all;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /**
   * @internal
   * @throws RadosError SIPHON_RADOS_MODE if workers could not be fenced together with this client; errors of connecting
   * a worker
   */
  async open(count: number): Promise<void> {
    const { cluster } = this.#image;
    const options = cluster.fencedOptions();
    this.#threads = Array.from({ length: count }, () => {
      const { port1, port2 } = new MessageChannel();
      const workerData: WorkerStart = { cluster: options, fsid: cluster.fsid, port: port2 };
      const thread = startThread(program, workerData, [port2]);
      const link = new WorkerLink(port1, this.#image, this.#io, this.#options);
      const died = (error: Error) => {
        if (!this.#closing) link.died(error);
      };
      thread.on("error", (error) => died(error as Error));
      port1.on("messageerror", died);
      const exited = new Promise<void>((resolve) => {
        thread.on("exit", (code) => {
          resolve();
          port1.close();
          died(new Error(`its thread exited with code ${code}`));
        });
      });
      const worker = { link, thread, exited };
      // If the channel ends first, the thread is ended, and its end gives the reason.
      port1.on("close", () => void endThread(worker));
      // Workers do not keep the process alive.
      thread.unref();
      port1.unref();
      return worker;
    });
    try {
      await Promise.all(this.#threads.map(({ link }) => link.opened));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Ends the threads; the image is closed and writes no more.
   *
   * @internal
   */
  close(): Promise<void> {
    return this.#end(new RbdError("SIPHON_RBD_CLOSED", `image ${this.#image.header.name} was closed`));
  }

  /**
   * A thread has failed: ends all threads before the process ends. A thread in a blocking system call cannot be ended
   * and would keep the process alive; then the process is killed.
   *
   * @internal
   */
  async died(error: Error): Promise<void> {
    const kill = () => {
      process.stderr.write(`siphon: ${error.message}; its thread does not end, so this process is killed\n`);
      process.kill(process.pid, "SIGKILL");
    };
    const late = setTimeout(kill, patience);
    if (error.cause instanceof WorkerHang) process.once("exit", kill);
    await this.#end(error);
    process.off("exit", kill);
    clearTimeout(late);
  }

  async #end(reason: Error): Promise<void> {
    this.#closing = true;
    const threads = this.#threads;
    this.#threads = [];
    await Promise.all(threads.map(endThread));
    for (const { link } of threads) link.end(reason);
  }
}

interface WorkerThread {
  readonly link: WorkerLink;
  readonly thread: Worker;
  readonly exited: Promise<void>;
}

/**
 * Asks a thread to end, so that it first stops waiting for descriptors: `terminate` would abort the process if one became
 * readable at that moment. A thread that does not answer is terminated.
 */
async function endThread({ link, thread, exited }: WorkerThread): Promise<void> {
  link.tell({ type: "end" });
  // Otherwise this process could end before.
  thread.ref();
  const late = setTimeout(() => void thread.terminate(), grace);
  await exited;
  clearTimeout(late);
}

/** Functions that run in all workers. */
export interface WorkersRun {
  /** As the result of `ImageWorkers.run`. */
  readonly ended: Promise<unknown[]>;
  /** Sends a message to the function of one worker (`WorkerRun.listen`), any data that `structuredClone` accepts. */
  tell(index: number, message: unknown): void;
}

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with each message of a function, and the number of its worker. */
  readonly onMessage?: (message: unknown, index: number) => void;
}

/** A function that a module exports as `inWorker`, for `ImageWorkers.run`. */
export type InWorker<Data, Result> = (image: ImageIo, part: WorkerRun<Data>) => Promise<Result>;

/** @throws RbdError SIPHON_RBD_INVALID */
export function assertWorkers(image: string, { workers, cache }: OpenOptions): void {
  if (!Number.isInteger(workers) || workers! < 1 || workers! > mostWorkers) {
    throw new RbdError(
      "SIPHON_RBD_INVALID",
      `invalid number of workers: ${workers} (an image has 1 to ${mostWorkers})`,
    );
  }
  if (!cache) return;
  throw new RbdError("SIPHON_RBD_INVALID", `image ${image} cannot have both workers and a cache`);
}

/** Milliseconds for a thread to end by itself. */
const grace = 2000;
/** Milliseconds for threads to end. */
const patience = 5000;
const mostWorkers = 64;
const program = new URL(`./worker-program${extname(import.meta.filename)}`, import.meta.url);
