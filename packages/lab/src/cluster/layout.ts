import { LabError } from "../errors.ts";
import type { ClusterSpec } from "./spec.ts";

export type DaemonKind = "mon" | "mgr" | "osd";

/** One daemon of a cluster. */
export interface DaemonId {
  kind: DaemonKind;
  /** `a`, `b`, `c` for monitors, `x` for the manager, `0`, `1`, `2` for OSDs. */
  id: string;
  /** Type and id: `osd.0`. */
  name: string;
}

/** The daemons that a cluster consists of, in the order in which they are started. */
export function daemonsOf({ mons, osds }: Pick<ClusterSpec, "mons" | "osds">): DaemonId[] {
  return [
    ...Array.from({ length: mons }, (_, n) => daemonId("mon", "abcde"[n])),
    daemonId("mgr", "x"),
    ...Array.from({ length: osds }, (_, n) => daemonId("osd", `${n}`)),
  ];
}

export function daemonId(kind: DaemonKind, id: string): DaemonId {
  return { kind, id, name: `${kind}.${id}` };
}

/** A cluster's directory: a resource's on this machine, or a directory of another host. */
export interface ClusterHome {
  dir: string;
  /** A path inside it. */
  path(...parts: string[]): string;
}

/** Paths inside a cluster's directory. */
export function clusterPaths(home: ClusterHome) {
  return {
    conf: home.path("ceph.conf"),
    monmap: home.path("monmap"),
    /** Keys that monitors import when they are made: all keys that exist from the start. */
    monKeyring: home.path("mon.keyring"),
    keyring: (entity: string) => home.path(`${entity}.keyring`),
    /** A daemon's data directory. */
    data: (daemon: DaemonId) => home.path(daemon.name),
    adminSocket: (daemon: DaemonId) => home.path(`${daemon.name}.asok`),
    log: (daemon: DaemonId) => home.path(`${daemon.name}.log`),
    clientConfs: home.path("clients"),
  };
}

export type ClusterPaths = ReturnType<typeof clusterPaths>;

/** Rejects a directory in which socket paths would exceed the kernel's limit (107 bytes). */
export function checkSocketPaths(paths: ClusterPaths, daemons: DaemonId[]): void {
  for (const daemon of daemons) {
    const path = paths.adminSocket(daemon);
    if (Buffer.byteLength(path) <= 107) continue;
    throw new LabError("SIPHON_USAGE", `${path} is too long for a socket (107 bytes at most)`, {
      hint: "choose a shorter directory with --dir or SIPHON_STATE_DIR",
    });
  }
}
