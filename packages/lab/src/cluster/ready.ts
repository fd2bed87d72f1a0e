import { setTimeout as sleep } from "node:timers/promises";
import type { CephSession } from "../ceph/session.ts";
import { LabError } from "../errors.ts";
import type { Daemon } from "../host/daemon.ts";
import type { Resource } from "../state/resource.ts";
import { awaitDaemon, daemonFailure } from "./daemons.ts";
import { clusterPaths, type DaemonId } from "./layout.ts";
import type { ClusterSpec } from "./spec.ts";

/** What a monitor says of the cluster; the part of `ceph status` that is read here. */
export interface ClusterStatus {
  fsid: string;
  health: { status: string; checks: Record<string, { summary: { message: string } }> };
  quorum_names: string[];
  osdmap: { num_osds: number; num_up_osds: number; num_in_osds: number };
  pgmap: {
    num_pgs: number;
    pgs_by_state: { state_name: string; count: number }[];
    bytes_used: number;
    bytes_avail: number;
    bytes_total: number;
  };
}

/** Waits until a monitor is in quorum, and checks that it is one of this cluster. */
export async function awaitQuorum(
  resource: Resource,
  daemon: Daemon,
  mon: DaemonId,
  fsid: string,
  signal?: AbortSignal,
): Promise<void> {
  interface MonStatus {
    state: string;
    monmap: { fsid: string };
  }
  const socket = clusterPaths(resource).adminSocket(mon);
  const inQuorum = ({ state }: MonStatus) => state === "leader" || state === "peon";
  const { monmap } = await awaitDaemon(resource, daemon, socket, "mon_status", inQuorum, { signal });
  checkFsid(monmap.fsid, fsid);
}

/** With auth none nothing else would keep us from working on somebody else's cluster. */
export function checkFsid(found: string, fsid: string): void {
  if (found === fsid) return;
  throw new LabError(
    "SIPHON_IN_USE",
    `another cluster (${found}) answers at the address of the new one (${fsid})`,
    { retryable: true },
  );
}

/** Waits until all OSDs are up and all PGs of the pool active+clean, while the given daemons live. */
export async function awaitClean(
  resource: Resource,
  session: CephSession,
  { osds, pgs }: ClusterSpec,
  daemons: Daemon[],
  { signal, timeoutMs = 180_000 }: { signal?: AbortSignal; timeoutMs?: number } = {},
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const dead = daemons.find((daemon) => daemon.exit);
    if (dead) throw await daemonFailure(resource, dead);
    const { osdmap, pgmap } = (await session.command(["status"])) as ClusterStatus;
    const clean = pgmap.pgs_by_state.find(({ state_name }) => state_name === "active+clean")?.count ?? 0;
    if (osdmap.num_up_osds === osds && pgmap.num_pgs >= pgs && clean === pgmap.num_pgs) return;
    if (Date.now() > deadline) {
      const states = pgmap.pgs_by_state.map(({ state_name, count }) => `${count} ${state_name}`).join(", ");
      throw new LabError(
        "SIPHON_TIMEOUT",
        `the cluster is not ready after ${timeoutMs / 1000} s: ${osdmap.num_up_osds} of ${osds} OSDs up, PGs: ${states || "none"}`,
        { hint: `read the logs in ${resource.dir}` },
      );
    }
    await sleep(50);
  }
}
