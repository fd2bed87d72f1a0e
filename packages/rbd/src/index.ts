export type { IoLimits } from "./io/admission.ts";
export { ImageIo, type ImageIoOptions } from "./io/image-io.ts";
export { CompareAndWriteRequest, ImageRequest, WriteSameRequest } from "./io/image-request.ts";
export type { OperationKind } from "./io/operation.ts";
export type { IoCounters, Latencies } from "./io/statistics.ts";
