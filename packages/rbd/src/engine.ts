// For programs that serve disks: requests to images without a promise, a closure or a buffer for each of them.
export { ImageIo, type ImageIoOptions } from "./io/image-io.ts";
export type { ImageOperations } from "./io/image-operations.ts";
export { CompareAndWriteRequest, ImageRequest, WriteSameRequest } from "./io/image-request.ts";
export type { OperationKind } from "./io/operation.ts";
export type { IoCounters } from "./io/statistics.ts";
