import type { DiskLimits } from "../throttle/disk-limits.ts";
import type { AttachPoint } from "./connect-hints.ts";
import type { IoFigures, IoMetrics } from "./io-metrics.ts";

/** Images served by this process or its shards. */
export interface Attachment extends AsyncDisposable {
  /** The sockets of the disks. */
  readonly points: readonly ServedPoint[];
  measure(): Promise<Measurement>;
  /**
   * Ends without losing data: takes no more requests, finishes those in flight, flushes, and then closes the images.
   *
   * @throws AttachError SIPHON_ATTACH_DRAIN with all failures
   */
  drain(): Promise<void>;
}

/** An image and one of its sockets. */
export interface ServedPoint {
  /** `POOL/IMAGE` or `POOL/IMAGE@SNAP`. */
  readonly image: string;
  /** In bytes, when it was attached. */
  readonly size: number;
  readonly point: AttachPoint;
}

export interface Measurement {
  /** Disks of the shard; empty while it is down. */
  readonly disks: readonly MeasuredDisk[];
  /** Empty where one process serves everything. */
  readonly shards: readonly ShardState[];
}

/** A disk and its figures. */
export interface MeasuredDisk {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly metrics: IoMetrics;
  /** Its name in the service. */
  readonly disk?: string;
}

export interface ShardState {
  readonly shard: number;
  readonly isUp: boolean;
  /** Number of restarts. */
  readonly restarts: number;
}

/** A disk's figures as sent from one process to another. */
export interface DiskFigures {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly io: IoFigures;
  /** The part of the process's work that the disk belongs to. */
  readonly part: string;
  /** The limits in force. */
  readonly limits: DiskLimits;
}
