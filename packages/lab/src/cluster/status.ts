import type { CephClient } from "../ceph/client.ts";
import type { ClusterStatus } from "./ready.ts";

/** One daemon as it is now. */
export interface DaemonState {
  name: string;
  pid: number | null;
  state: "running" | "stopped" | "died";
}

/** A local cluster as it is now. */
export interface LocalClusterStatus {
  name: string;
  fsid: string;
  dir: string;
  conf: string;
  pool: string;
  user: string;
  created: string;
  /** Whether it stays after the process that created it. */
  kept: boolean;
  daemons: DaemonState[];
  /** The monitors' answer; missing when they do not answer. */
  ceph?: {
    health: string;
    /** One sentence for each problem. */
    problems: string[];
    osdsUp: number;
    osds: number;
    /** Number of PGs in each state. */
    pgs: Record<string, number>;
    bytesUsed: number;
    bytesTotal: number;
  };
}

/** The monitors' answer; undefined when they do not answer. */
export async function cephStatus(
  admin: CephClient,
  signal?: AbortSignal,
): Promise<LocalClusterStatus["ceph"]> {
  let status: ClusterStatus;
  try {
    status = (await admin.command(["status"], { signal })) as ClusterStatus;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
  const { health, osdmap, pgmap } = status;
  const checks = Object.values(health.checks).filter(({ muted }) => !muted);
  return {
    health: health.status,
    problems: checks.map(({ summary }) => summary.message),
    osdsUp: osdmap.num_up_osds,
    osds: osdmap.num_osds,
    pgs: Object.fromEntries(pgmap.pgs_by_state.map(({ state_name, count }) => [state_name, count])),
    bytesUsed: pgmap.bytes_used,
    bytesTotal: pgmap.bytes_total,
  };
}
