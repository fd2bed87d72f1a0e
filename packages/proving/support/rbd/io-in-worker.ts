import { Socket } from "node:net";
import type { InWorker } from "@siphon/rbd/engine";
import { ImageBytes } from "../../../rbd/src/image/image-bytes.ts";
import type { OpenImage } from "../../../rbd/src/image/open-image.ts";
import { type PlainError, plainError } from "../../../rbd/src/workers/plain-error.ts";

/** Methods of an image that a worker can execute. */
export type IoName = "read" | "write" | "discard" | "writeZeroes" | "writeSame" | "compareAndWrite" | "flush";

export interface IoCall {
  readonly id: number;
  readonly name: IoName;
  readonly args: readonly unknown[];
}

export interface IoAnswer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: PlainError;
  readonly counters: { readonly copyUps: number; readonly parentReads: number };
}

/** Executes the requests of `WorkedImage` until the image is closed. Its data is the array for `cutWhileWanted`. */
export const inWorker: InWorker<Int32Array, never> = (image, { data: cutting, listen, tell }) => {
  const { state: header } = image;
  const bytes = new ImageBytes({ io: image, front: image, header } as unknown as OpenImage);
  const methods = bytes as unknown as Record<IoName, (...args: readonly unknown[]) => Promise<unknown>>;
  listen(async (message) => {
    const { id, name, args } = message as IoCall;
    const outcome = await methods[name](...args).then(
      (value) => ({ value }),
      (error) => ({ error: plainError(error) }),
    );
    const { copyUps, parentReads } = image.counters;
    tell({ id, ...outcome, counters: { copyUps, parentReads } } satisfies IoAnswer);
  });
  cutWhileWanted(cutting);
  return new Promise(() => {});
};

/** Breaks this thread's connections at random places while the first number is 1. The second number counts the breaks. */
export function cutWhileWanted(cutting: Int32Array): NodeJS.Timeout {
  return setInterval(() => {
    if (Atomics.load(cutting, 0) === 1 && Math.random() < 0.2 && cutOne()) Atomics.add(cutting, 1, 1);
  }, 20).unref();
}

function cutOne(): boolean {
  const open = (process as unknown as { _getActiveHandles(): unknown[] })
    ._getActiveHandles()
    .filter((handle): handle is Socket => handle instanceof Socket && handle.remotePort !== undefined);
  const socket = open[Math.floor(Math.random() * open.length)];
  socket?.destroy();
  return socket !== undefined;
}
