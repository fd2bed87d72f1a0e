import { parse } from "node:path";
import type { ImageIo } from "../io/image-io.ts";

/** The arguments of a function besides the image. */
export interface WorkerRun<Data = unknown> {
  /** Index of this worker, from 0. */
  readonly index: number;
  /** Number of all workers. */
  readonly count: number;
  readonly data: Data;
  /** Aborted when another worker's function failed, or the caller gave up. */
  readonly signal: AbortSignal | undefined;
  /** Sends a message to the caller: `RunOptions.onMessage`. */
  tell(message: unknown): void;
  /** Calls back with each message of the caller (`WorkersRun.tell`), including earlier ones. */
  listen(listener: (message: unknown) => void): void;
}

/** Messages for a function that may not listen yet. */
export class Inbox {
  readonly #waiting: unknown[] = [];
  #listener: ((message: unknown) => void) | undefined;

  put(message: unknown): void {
    if (this.#listener === undefined) this.#waiting.push(message);
    else this.#listener(message);
  }

  readonly listen = (listener: (message: unknown) => void): void => {
    this.#listener = listener;
    for (const message of this.#waiting.splice(0)) listener(message);
  };
}

/** Calls a module's function `inWorker` in this thread. */
export async function runHere(module: string, image: ImageIo, run: WorkerRun): Promise<unknown> {
  const { inWorker } = await load(module);
  return inWorker(image, run);
}

interface WorkerModule {
  inWorker(image: ImageIo, run: WorkerRun): Promise<unknown>;
}

/** Modules of the packaged siphon have addresses that begin with `siphon:`, and are loaded by name. */
function load(module: string): Promise<WorkerModule> {
  const url = new URL(module);
  if (url.protocol !== "siphon:") return import(module);
  const packed = globalThis as unknown as Record<symbol, (chunk: string) => WorkerModule>;
  return Promise.resolve(packed[Symbol.for("siphon.load")]!(parse(url.pathname).name));
}
