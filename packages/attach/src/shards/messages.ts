import type { ClusterOptions } from "@siphon/rados";
import type { AttachRequest } from "../server/attach-images.ts";
import type { DiskFigures, ServedPoint } from "../server/attachment.ts";
import type { LogFormat } from "../server/log.ts";
import type { DiskLimits } from "../throttle/disk-limits.ts";
import type { Failure } from "./failure.ts";

/** A shard's images and their cluster. */
export interface ShardJob {
  readonly cluster: Omit<ClusterOptions, "signal" | "openTransport">;
  /** The disks that it serves from its start. If empty, parts are added later. */
  readonly request?: AttachRequest;
  /** Bytes of requests that all its VMs may have in flight. */
  readonly maxInFlight?: number;
  /** Milliseconds for the requests in flight when the shard ends. */
  readonly drainTimeout: number;
  readonly logFormat: LogFormat;
}

/** A call to one part of a shard, by the part's name. */
export type ShardTask =
  | { readonly do: "add"; readonly part: string; readonly request: AttachRequest }
  | { readonly do: "remove"; readonly part: string }
  | { readonly do: "limit"; readonly part: string; readonly limits: DiskLimits };

/** Messages to a shard. The job comes first; when the channel closes, the shard drains and ends. */
export type ToShard =
  | { type: "serve"; job: ShardJob }
  | { type: "task"; id: number; task: ShardTask }
  | { type: "measure" }
  | { type: "ask" }
  | { type: "drain" };

/** Messages from a shard. After it has reported that its job failed, it ends. */
export type FromShard =
  | { type: "serving"; points: readonly ServedPoint[] }
  | { type: "done"; id: number; points: readonly ServedPoint[] }
  | { type: "undone"; id: number; failure: Failure }
  | { type: "measured"; disks: readonly DiskFigures[] }
  /** The answer to `ask`: the shard is alive. */
  | { type: "alive" }
  | { type: "failed"; failure: Failure };
