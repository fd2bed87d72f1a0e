import { setTimeout as sleep } from "node:timers/promises";
import type { CephSession } from "../ceph/session.ts";
import { LabError } from "../errors.ts";
import type { Daemon } from "../host/daemon.ts";
import { Patience } from "../host/patience.ts";
import type { Resource } from "../state/resource.ts";
import { awaitDaemon } from "./daemons.ts";
import { clusterPaths, type DaemonId } from "./layout.ts";
import type { ClusterSpec } from "./spec.ts";

/** The part of `ceph status` that is used here. */
export interface ClusterStatus {
  fsid: string;
  health: { status: string; checks: Record<string, { muted: boolean; summary: { message: string } }> };
  osdmap: { num_osds: number; num_up_osds: number };
  pgmap: {
    num_pgs: number;
    pgs_by_state: { state_name: string; count: number }[];
    bytes_used: number;
    bytes_total: number;
  };
}

/** Waits until a monitor is in quorum, and checks that it belongs to this cluster. */
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

/** Waits until a daemon that was started again is back in its cluster. */
export async function awaitMember(
  resource: Resource,
  daemon: Daemon,
  id: DaemonId,
  fsid: string,
  signal?: AbortSignal,
): Promise<void> {
  if (id.kind === "mon") return awaitQuorum(resource, daemon, id, fsid, signal);
  const socket = clusterPaths(resource).adminSocket(id);
  if (id.kind === "mgr") await awaitDaemon(resource, daemon, socket, "version", () => true, { signal });
  else {
    const active = ({ state }: { state: string }) => state === "active";
    await awaitDaemon(resource, daemon, socket, "status", active, { signal });
  }
}

/** With auth none, only this check prevents siphon from using another cluster. */
export function checkFsid(found: string, fsid: string): void {
  if (found === fsid) return;
  throw new LabError(
    "SIPHON_IN_USE",
    `another cluster (${found}) answers at the address of the new one (${fsid})`,
    { retryable: true },
  );
}

/** Everything a wait for the whole cluster needs. */
export interface Waiting {
  resource: Resource;
  session: CephSession;
  spec: ClusterSpec;
  signal: AbortSignal;
}

/** Waits until all OSDs are up. */
export async function awaitOsds(waiting: Waiting): Promise<void> {
  const { session, spec } = waiting;
  await poll(waiting, async () => {
    const { num_up_osds } = (await session.command(["osd", "stat"])) as { num_up_osds: number };
    return num_up_osds === spec.osds || `${num_up_osds} of ${spec.osds} OSDs are up`;
  });
}

/** Waits until the PGs of all pools are active+clean. Asks the manager, because a monitor's data is older. */
export async function awaitClean(waiting: Waiting): Promise<void> {
  interface PgStat {
    /** False while a new manager has not yet heard of all PGs. */
    pg_ready: boolean;
    pg_summary: { num_pgs: number; num_pg_by_state: { name: string; num: number }[] };
  }
  const { session, spec } = waiting;
  await poll(waiting, async () => {
    const { pg_ready, pg_summary } = (await session.command(["pg", "stat"])) as PgStat;
    const { num_pgs, num_pg_by_state } = pg_summary;
    const clean = num_pg_by_state.find(({ name }) => name === "active+clean")?.num ?? 0;
    const states = num_pg_by_state.map(({ name, num }) => `${num} ${name}`).join(", ");
    return (pg_ready && num_pgs >= spec.pgs && clean === num_pgs) || `placement groups: ${states || "none"}`;
  });
}

/** Polls until `look` returns true; fails if its result has not changed for three minutes, or after half an hour. */
async function poll({ resource, signal }: Waiting, look: () => Promise<true | string>): Promise<void> {
  let state: true | string = "";
  const patience = new Patience({ progress: () => `${state}`, quietMs: 180_000 });
  for (;;) {
    signal.throwIfAborted();
    state = await look();
    if (state === true) return;
    const over = patience.isOver;
    if (over) {
      throw new LabError("SIPHON_TIMEOUT", `the cluster is not ready ${over}: ${state}`, {
        hint: `is the machine very busy? The logs are in ${resource.dir} while it comes up`,
      });
    }
    await sleep(50);
  }
}
