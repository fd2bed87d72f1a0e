import type { DiskFigures, ServedPoint } from "../server/attachment.ts";
import { type IoKind, IoMetrics, ioKinds } from "../server/io-metrics.ts";
import { formatDiskLimits } from "../throttle/disk-limits.ts";
import type { NonsenseFile } from "./disk-files.ts";
import type { DiskWords } from "./disk-words.ts";
import type { DiskPhase, ServiceDisk } from "./service-disk.ts";

/** A disk as the service tells of it. */
export interface DiskStatus {
  readonly name: string;
  /** `POOL/IMAGE` or `POOL/IMAGE@SNAP`. */
  readonly image: string;
  /** While it is served also what `--on-error` and the cluster make of it. */
  readonly state: DiskPhase | "waiting" | "paused";
  /** Why it failed, or what its file says that makes no sense. */
  readonly error?: string;
  /** Whether it comes back after a restart of the machine. */
  readonly persistent: boolean;
  readonly file: string;
  /** Which process serves it, from 1 on; undefined where it is the service's own. */
  readonly shard?: number;
  /** As it was defined. */
  readonly words: DiskWords;
  /** In bytes, while it is served. */
  readonly size?: number;
  readonly points: readonly ServedPoint[];
  /** Clients that are connected. */
  readonly connections: number;
  readonly inFlight: number;
  /** Those in force, `rbd_qos_*` included. */
  readonly limits: string;
  readonly io: Readonly<Record<IoKind, IoStatus>>;
}

export interface IoStatus {
  readonly operations: number;
  readonly bytes: number;
  readonly errors: number;
  /** In seconds, of all since the disk is served. */
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

/** The status of a file that makes no sense. */
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
