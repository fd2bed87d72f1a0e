/** The state of a cluster, as in `ceph status`. */
export interface ClusterStatus {
  fsid: string;
  health: { status: string; checks: HealthCheck[] };
  mons: { total: number; quorum: string[]; quorumAge: number };
  /** `name` is empty without an active manager. */
  mgr: { name: string; available: boolean; standbys: number };
  osds: { total: number; up: number; in: number; upSince: number; inSince: number; remappedPgs: number };
  pools: number;
  objects: number;
  /** Bytes. */
  storedBytes: number;
  usedBytes: number;
  availableBytes: number;
  totalBytes: number;
  /** PGs by state, most first. */
  pgs: { state: string; count: number }[];
  /** I/O of clients, per second. */
  io: { readBytes: number; writeBytes: number; readOperations: number; writeOperations: number };
  /** Recovery, per second. */
  recovery: { bytes: number; objects: number };
}

export interface HealthCheck {
  code: string;
  severity: string;
  message: string;
  muted: boolean;
}

/**
 * Reads the output of `status`.
 *
 * @param mgr name of the active manager, which `status` omits
 */
export function readStatus(output: unknown, mgr: string): ClusterStatus {
  const { fsid, health, quorum_names, quorum_age, monmap, osdmap, mgrmap, pgmap } = output as StatusOutput;
  const checks = Object.entries(health.checks).map(([code, { severity, summary, muted }]) => ({
    ...{ code, severity, message: summary.message, muted: muted ?? false },
  }));
  return {
    fsid,
    health: { status: health.status, checks },
    mons: { total: monmap.num_mons, quorum: quorum_names, quorumAge: quorum_age },
    mgr: { name: mgr, available: mgrmap.available, standbys: mgrmap.num_standbys },
    osds: {
      ...{ total: osdmap.num_osds, up: osdmap.num_up_osds, in: osdmap.num_in_osds },
      ...{ upSince: osdmap.osd_up_since, inSince: osdmap.osd_in_since },
      remappedPgs: osdmap.num_remapped_pgs,
    },
    ...{ pools: pgmap.num_pools, objects: pgmap.num_objects, storedBytes: pgmap.data_bytes },
    ...{ usedBytes: pgmap.bytes_used, availableBytes: pgmap.bytes_avail, totalBytes: pgmap.bytes_total },
    pgs: pgmap.pgs_by_state.map(({ state_name, count }) => ({ state: state_name, count })),
    io: {
      readBytes: pgmap.read_bytes_sec ?? 0,
      writeBytes: pgmap.write_bytes_sec ?? 0,
      readOperations: pgmap.read_op_per_sec ?? 0,
      writeOperations: pgmap.write_op_per_sec ?? 0,
    },
    recovery: {
      bytes: pgmap.recovering_bytes_per_sec ?? 0,
      objects: pgmap.recovering_objects_per_sec ?? 0,
    },
  };
}

interface StatusOutput {
  fsid: string;
  health: {
    status: string;
    checks: Record<string, { severity: string; summary: { message: string }; muted?: boolean }>;
  };
  quorum_names: string[];
  quorum_age: number;
  monmap: { num_mons: number };
  osdmap: {
    num_osds: number;
    num_up_osds: number;
    num_in_osds: number;
    osd_up_since: number;
    osd_in_since: number;
    num_remapped_pgs: number;
  };
  mgrmap: { available: boolean; num_standbys: number };
  pgmap: {
    num_pools: number;
    num_objects: number;
    data_bytes: number;
    bytes_used: number;
    bytes_avail: number;
    bytes_total: number;
    pgs_by_state: { state_name: string; count: number }[];
    read_bytes_sec?: number;
    write_bytes_sec?: number;
    read_op_per_sec?: number;
    write_op_per_sec?: number;
    recovering_bytes_per_sec?: number;
    recovering_objects_per_sec?: number;
  };
}
