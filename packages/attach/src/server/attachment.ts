import type { DiskLimits } from "../throttle/disk-limits.ts";
import type { AttachPoint } from "./connect-hints.ts";
import type { IoFigures, IoMetrics } from "./io-metrics.ts";

/** Images that are being served, by this process or by its shards. */
export interface Attachment extends AsyncDisposable {
  /** Where VMs find the disks. */
  readonly points: readonly ServedPoint[];
  measure(): Promise<Measurement>;
  /**
   * Loses nothing: no more requests are taken, those in flight are finished, all is made to last, and only then the images are
   * let go of.
   *
   * @throws AttachError SIPHON_ATTACH_DRAIN with everything that went wrong on the way
   */
  drain(): Promise<void>;
}

/** An image, and a socket that it is served on. */
export interface ServedPoint {
  /** `POOL/IMAGE` or `POOL/IMAGE@SNAP`. */
  readonly image: string;
  /** In bytes, when it was attached. */
  readonly size: number;
  readonly point: AttachPoint;
}

export interface Measurement {
  /** Disks of the shard; none while it is down. */
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
  /** How often it was started again. */
  readonly restarts: number;
}

/** A disk's figures as they go from one process to another. */
export interface DiskFigures {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly io: IoFigures;
  /** The part of the process's work that it belongs to. */
  readonly part: string;
  /** Those in force. */
  readonly limits: DiskLimits;
}
