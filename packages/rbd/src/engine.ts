/**
 * For programs that serve disks: requests to images without a promise, a closure or a buffer for each.
 *
 * @module @siphon/rbd/engine
 */

export { errnoOf } from "./errors.ts";
export { ImageIo, type ImageIoOptions } from "./io/image-io.ts";
export type { ImageLayer, ParentView } from "./io/image-layer.ts";
export type { ImageOperations } from "./io/image-operations.ts";
export { flushImage, readBytes, writeBytes } from "./io/image-operations.ts";
export { CompareAndWriteRequest, ImageRequest, WriteSameRequest } from "./io/image-request.ts";
export type { IoTuning } from "./io/io-tuning.ts";
export type { OperationKind } from "./io/operation.ts";
export type { Presence, PresenceWaiter } from "./io/presence.ts";
export type { IoCounters } from "./io/statistics.ts";
export type { Layout } from "./striping/layout.ts";
export { Heartbeat, type HeartbeatOptions } from "./workers/heartbeat.ts";
export type { InWorker } from "./workers/image-workers.ts";
export type { WorkerRun } from "./workers/run-here.ts";
