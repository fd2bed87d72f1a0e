import type { ImageRequest } from "./image-request.ts";
import type { WriteEpoch } from "./write-epochs.ts";

/** The kinds of requests to an image, as keys of counters and histograms. */
export type OperationKind =
  | "read"
  | "write"
  | "discard"
  | "writeZeroes"
  | "writeSame"
  | "compareAndWrite"
  | "flush";

export const operationKinds: readonly OperationKind[] = [
  "read",
  "write",
  "discard",
  "writeZeroes",
  "writeSame",
  "compareAndWrite",
  "flush",
];

/** A request of an image while it is under way: what is still to come of its objects. */
export class Operation {
  kind: OperationKind = "read";
  request!: ImageRequest;
  /** Extents that are not done, and 1 for the request itself until all of its extents are sent off. */
  pending = 0;
  /** Within the call that sends its extents off. */
  starting = false;
  result = 0;
  error: Error | undefined;
  /** `performance.now()`. */
  begun = 0;
  /** Epoch of a write in flight. */
  epoch: WriteEpoch | undefined;
  /** Epoch of a write that has been sent off. */
  running: WriteEpoch | undefined;
  /** Bytes it counts for against the limit. */
  bytes = 0;

  /** The first failure is the one that is reported. */
  fail(result: number, error?: Error): void {
    if (this.result < 0) return;
    this.result = result;
    this.error = error;
  }
}
