import type { ClusterOptions } from "@siphon/rados";
import type { Remedy } from "@siphon/wire";
import type { AttachRequest } from "../server/attach-images.ts";
import type { DiskFigures, ServedPoint } from "../server/attachment.ts";
import type { LogFormat } from "../server/log.ts";

/** The images that a shard serves, and their cluster. */
export interface ShardJob {
  readonly cluster: Omit<ClusterOptions, "signal" | "openTransport">;
  readonly request: AttachRequest;
  /** Milliseconds for what is under way, once the shard is to end. */
  readonly drainTimeout: number;
  readonly logFormat: LogFormat;
}

/** To a shard. Its job comes first; when nobody is there to tell it anything more, it ends in order. */
export type ToShard =
  | { type: "serve"; job: ShardJob }
  | { type: "measure" }
  | { type: "ask" }
  | { type: "drain" };

/** From a shard. It ends after having told of a failure. */
export type FromShard =
  | { type: "serving"; points: readonly ServedPoint[] }
  | { type: "measured"; disks: readonly DiskFigures[] }
  /** The answer to `ask`: it does not hang. */
  | { type: "alive" }
  | { type: "failed"; failure: ShardFailure };

/** An error as it goes from one process to another. */
export interface ShardFailure {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly remedy: Remedy | undefined;
  readonly retryable: boolean;
}
