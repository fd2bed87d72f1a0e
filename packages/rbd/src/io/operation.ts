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

/** The state of a request in flight: which of its extents are not done. */
export class Operation {
  kind: OperationKind = "read";
  request!: ImageRequest;
  /** Extents that are not done, plus 1 until all extents are sent. */
  pending = 0;
  /** Set during the call that sends the extents. */
  starting = false;
  result = 0;
  error: Error | undefined;
  /** `performance.now()`. */
  begun = 0;
  /** Epoch of a write in flight. */
  epoch: WriteEpoch | undefined;
  /** Epoch of a write that was sent. */
  running: WriteEpoch | undefined;
  /** Bytes charged against the limit. */
  bytes = 0;

  /** The first failure is reported. */
  fail(result: number, error?: Error): void {
    if (this.result < 0) return;
    this.result = result;
    this.error = error;
  }
}
