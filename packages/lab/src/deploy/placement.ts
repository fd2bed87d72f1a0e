import type { Conf } from "../ceph/conf.ts";
import { type ClusterHome, clusterPaths, type DaemonId, daemonId } from "../cluster/layout.ts";
import { clusterConf, type MonAddress } from "../cluster/settings.ts";
import type { ClusterSpec } from "../cluster/spec.ts";
import { type Inventory, type InventoryHost, type InventoryOsd, pathOf } from "./inventory.ts";

/** An OSD on its host. */
export interface PlacedOsd {
  daemon: DaemonId;
  /** Its UUID, at the head of its store. */
  uuid: string;
  store: InventoryOsd;
}

/** The daemons of one host. */
export interface Placement {
  host: InventoryHost;
  mons: DaemonId[];
  mgrs: DaemonId[];
  osds: PlacedOsd[];
  home: ClusterHome;
}

/** Assigns ids to daemons in inventory order: monitors from `a`, OSDs from 0. */
export function place({ hosts }: Inventory): Placement[] {
  let mons = 0;
  let osds = 0;
  return hosts.map((host) => ({
    host,
    mons: host.mon ? [daemonId("mon", "abcde"[mons++])] : [],
    mgrs: host.mgr ? [daemonId("mgr", "x")] : [],
    osds: host.osds.map((store) => ({
      daemon: daemonId("osd", `${osds++}`),
      uuid: crypto.randomUUID(),
      store,
    })),
    home: homeOf(host),
  }));
}

/** The daemons of a host, in the order in which they are started. */
export function daemonsOn({ mons, mgrs, osds }: Placement): DaemonId[] {
  return [...mons, ...mgrs, ...osds.map(({ daemon }) => daemon)];
}

export function monAddresses(placements: Placement[], { msgr }: ClusterSpec): MonAddress[] {
  return placements.flatMap(({ host, mons }) =>
    mons.map(({ id }) => ({
      id,
      ip: host.address,
      ...(msgr === "v1" ? {} : { v2: host.mon!.v2 }),
      ...(msgr === "v2" ? {} : { v1: host.mon!.v1 }),
    })),
  );
}

/** The ceph.conf of a host's daemons. */
export function hostConf(placement: Placement, all: Placement[], spec: ClusterSpec, fsid: string): Conf {
  const { host, home, osds } = placement;
  const mons = monAddresses(all, spec);
  const conf = clusterConf(spec, { fsid, mons, home, ip: host.address });
  const osdHosts = all.filter((other) => other.osds.length > 0).length;
  for (const section of [conf.mon, conf.mgr, conf.osd]) section.pid_file = home.path("$name.pid");
  conf.osd.cluster_addr = host.clusterAddress;
  // They are placed before they start, by the inventory's names for hosts.
  conf.osd.osd_crush_update_on_start = "false";
  if (!("osd_crush_chooseleaf_type" in spec.settings)) {
    // Replicas go to different hosts if there are enough.
    conf.global.osd_crush_chooseleaf_type = osdHosts >= spec.replicas ? "1" : "0";
  }
  for (const { daemon, store } of osds) {
    const path = pathOf(store);
    conf[daemon.name] = {
      ...(path ? { bluestore_block_path: path, bluestore_block_create: "true" } : {}),
      ...("size" in store ? { bluestore_block_size: `${store.size}` } : {}),
    };
  }
  return conf;
}

/** The ceph.conf of this machine's clients; `home` is the deployment's directory here. */
export function clientConf(all: Placement[], spec: ClusterSpec, fsid: string, home: ClusterHome): Conf {
  const { global } = clusterConf(spec, { fsid, mons: monAddresses(all, spec), home });
  return { global };
}

/** Where a host's monitors, manager and OSDs have their directories. */
export function dataDirectories(placement: Placement): string[] {
  const { home } = placement;
  const paths = clusterPaths(home);
  return [...daemonsOn(placement).map(paths.data), home.path("crash"), home.path("modules")];
}

export function homeOf({ directory }: InventoryHost): ClusterHome {
  return { dir: directory, path: (...parts) => [directory, ...parts].join("/") };
}
