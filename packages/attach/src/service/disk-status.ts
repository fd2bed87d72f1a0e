import type { DiskFigures, ServedPoint } from "../server/attachment.ts";
import { type IoKind, IoMetrics, ioKinds } from "../server/io-metrics.ts";
import { formatDiskLimits } from "../throttle/disk-limits.ts";
import type { NonsenseFile } from "./disk-files.ts";
import type { DiskWords } from "./disk-words.ts";
import type { DiskPhase, ServiceDisk } from "./service-disk.ts";

/** A disk as the service reports it. */
export interface DiskStatus {
  readonly name: string;
  /** `POOL/IMAGE` or `POOL/IMAGE@SNAP`. */
  readonly image: string;
  /** While it is served, also the state of its error policy and its cluster. */
  readonly state: DiskPhase | "waiting" | "paused";
  /** Why it failed, or why its file is invalid. */
  readonly error?: string;
  /** Whether the disk returns after a reboot. */
  readonly persistent: boolean;
  readonly file: string;
  /** The process that serves it, from 1; undefined for the service's own process. */
  readonly shard?: number;
  /** Its definition. */
  readonly words: DiskWords;
  /** In bytes, while it is served. */
  readonly size?: number;
  readonly points: readonly ServedPoint[];
  /** Connected clients. */
  readonly connections: number;
  readonly inFlight: number;
  /** The limits in force, including `rbd_qos_*`. */
  readonly limits: string;
  readonly io: Readonly<Record<IoKind, IoStatus>>;
}

export interface IoStatus {
  readonly operations: number;
  readonly bytes: number;
  readonly errors: number;
  /** In seconds, since the disk is served. */
  readonly p50: number;
  readonly p99: number;
}

export function statusOf(disk: ServiceDisk, file: string, figures: DiskFigures | undefined): DiskStatus {
  const metrics = new IoMetrics(figures?.io);
  const { phase, error, points, isKept, worker, definition } = disk;
  const shard = worker.state?.shard;
  return {
    ...{ name: disk.name, image: disk.image },
    state: phase === "serving" && metrics.state !== "serving" ? metrics.state : phase,
    ...(error !== undefined && { error: error.message }),
    ...{ persistent: isKept, file },
    ...(shard !== undefined && { shard }),
    words: definition.words,
    ...(figures && { size: figures.size }),
    points,
    ...{ connections: metrics.connections, inFlight: metrics.inFlight },
    limits: formatDiskLimits(figures?.limits ?? {}),
    io: ioOf(metrics),
  };
}

/** The status of an invalid file. */
export function nonsenseStatus({ name, path, isKept, error }: NonsenseFile): DiskStatus {
  return {
    ...{ name, image: "", state: "failed", error: error.message, persistent: isKept, file: path },
    ...{ words: {}, points: [], connections: 0, inFlight: 0, limits: "" },
    io: ioOf(new IoMetrics()),
  };
}

function ioOf(metrics: IoMetrics): DiskStatus["io"] {
  return Object.fromEntries(ioKinds.map((kind, i) => [kind, ioStatus(metrics, i)])) as DiskStatus["io"];
}

function ioStatus(metrics: IoMetrics, kind: number): IoStatus {
  const latencies = metrics.latencies[kind]!;
  return {
    operations: metrics.operations[kind]!,
    bytes: metrics.bytes[kind]!,
    errors: metrics.errors[kind]!,
    p50: latencies.quantile(0.5),
    p99: latencies.quantile(0.99),
  };
}
