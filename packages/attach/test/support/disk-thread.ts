// A thread that serves a `SharedDisk` as the worker of an image does.
import { parentPort, workerData } from "node:worker_threads";
import type { ImageIo } from "@siphon/rbd/engine";
import { inWorker } from "../../src/workers/disk-part.ts";
import type { PartStart } from "../../src/workers/messages.ts";
import { SharedDisk, type SharedDiskMemory } from "./shared-disk.ts";

export interface DiskThreadStart {
  readonly memory: SharedDiskMemory;
  readonly index: number;
  readonly count: number;
  readonly data: PartStart;
}

const { memory, index, count, data } = workerData as DiskThreadStart;
const port = parentPort!;
void inWorker(new SharedDisk(memory, index) as unknown as ImageIo, {
  ...{ index, count, data, signal: undefined },
  tell: (message) => port.postMessage(message),
  listen: (listener) => void port.on("message", listener),
});
