import type { ClusterOptions } from "@siphon/rados";
import type { AttachRequest } from "../server/attach-images.ts";
import type { DiskFigures, ServedPoint } from "../server/attachment.ts";
import type { LogFormat } from "../server/log.ts";
import type { DiskLimits } from "../throttle/disk-limits.ts";
import type { Failure } from "./failure.ts";

/** The images that a shard serves, and their cluster. */
export interface ShardJob {
  readonly cluster: Omit<ClusterOptions, "signal" | "openTransport">;
  /** The disks that it serves from its start to its end. Without any it is told later, part by part. */
  readonly request?: AttachRequest;
  /** Bytes of requests that all its VMs may have under way at once. */
  readonly maxInFlight?: number;
  /** Milliseconds for what is under way, once the shard is to end. */
  readonly drainTimeout: number;
  readonly logFormat: LogFormat;
}

/** A call to one part of a shard, by the name that the part was given. */
export type ShardTask =
  | { readonly do: "add"; readonly part: string; readonly request: AttachRequest }
  | { readonly do: "remove"; readonly part: string }
  | { readonly do: "limit"; readonly part: string; readonly limits: DiskLimits };

/** Messages to a shard. Its job comes first; when the channel closes, it drains and ends. */
export type ToShard =
  | { type: "serve"; job: ShardJob }
  | { type: "task"; id: number; task: ShardTask }
  | { type: "measure" }
  | { type: "ask" }
  | { type: "drain" };

/** Messages from a shard. It ends after it has reported a failure of its job. */
export type FromShard =
  | { type: "serving"; points: readonly ServedPoint[] }
  | { type: "done"; id: number; points: readonly ServedPoint[] }
  | { type: "undone"; id: number; failure: Failure }
  | { type: "measured"; disks: readonly DiskFigures[] }
  /** The answer to `ask`: it does not hang. */
  | { type: "alive" }
  | { type: "failed"; failure: Failure };
