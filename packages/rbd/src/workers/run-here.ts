import { parse } from "node:path";
import type { ImageIo } from "../io/image-io.ts";

/** The arguments of a function, beside the image. */
export interface WorkerRun<Data = unknown> {
  /** Index of this worker, from 0. */
  readonly index: number;
  /** Number of all workers. */
  readonly count: number;
  readonly data: Data;
  /** Aborted when another worker's function failed, or the caller gave up. */
  readonly signal: AbortSignal | undefined;
  /** Tells the caller something: `RunOptions.onMessage`. */
  tell(message: unknown): void;
}

/** Calls a module's function `inWorker` in this thread. */
export async function runHere(module: string, image: ImageIo, run: WorkerRun): Promise<unknown> {
  const { inWorker } = await load(module);
  return inWorker(image, run);
}

interface WorkerModule {
  inWorker(image: ImageIo, run: WorkerRun): Promise<unknown>;
}

/** Modules of the packed siphon have addresses that begin with `siphon:`, and are loaded by their names. */
function load(module: string): Promise<WorkerModule> {
  const url = new URL(module);
  if (url.protocol !== "siphon:") return import(module);
  const packed = globalThis as unknown as Record<symbol, (chunk: string) => WorkerModule>;
  return Promise.resolve(packed[Symbol.for("siphon.load")]!(parse(url.pathname).name));
}
