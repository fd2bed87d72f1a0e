import type { Conf } from "../ceph/conf.ts";
import type { ClusterHome } from "./layout.ts";
import type { ClusterSpec } from "./spec.ts";

/** Addresses of one monitor. */
export interface MonAddress {
  id: string;
  ip: string;
  v1?: number;
  v2?: number;
}

/** The six options for the protection of connections, by kind of peer. */
const MODES = [
  "ms_client_mode",
  "ms_cluster_mode",
  "ms_service_mode",
  "ms_mon_client_mode",
  "ms_mon_cluster_mode",
  "ms_mon_service_mode",
];

/** Default address of a local cluster's daemons. */
export const LOOPBACK = "127.0.0.1";

/** `[v2:127.0.0.1:P,v1:127.0.0.1:Q]`, as in mon_host and for monmaptool. */
export function addressVector({ ip, v1, v2 }: MonAddress): string {
  const parts = [v2 && `v2:${ip}:${v2}`, v1 && `v1:${ip}:${v1}`];
  return `[${parts.filter(Boolean).join(",")}]`;
}

/** Locations of a cluster's daemons for its ceph.conf. */
export interface ClusterPlace {
  fsid: string;
  mons: MonAddress[];
  home: ClusterHome;
  /** Where manager and OSDs listen; 127.0.0.1 unless told. */
  ip?: string;
  /** Directory of the object classes; default: Ceph's. */
  classDirectory?: string;
}

/** The ceph.conf of a cluster, which its daemons and, on this machine, all its clients read. */
export function clusterConf(spec: ClusterSpec, place: ClusterPlace): Conf {
  const { fsid, mons, home, ip = LOOPBACK, classDirectory } = place;
  const { auth, msgr, wire, replicas } = spec;
  const mode = wire === "any" ? "crc secure" : wire;
  const conf: Conf = {
    global: {
      fsid,
      mon_host: mons.map(addressVector).join(","),
      keyring: home.path("$name.keyring"),
      run_dir: home.dir,
      crash_dir: home.path("crash"),
      auth_cluster_required: auth,
      auth_service_required: auth,
      auth_client_required: auth,
      ms_bind_msgr1: `${msgr !== "v2"}`,
      ms_bind_msgr2: `${msgr !== "v1"}`,
      ...Object.fromEntries(MODES.map((name) => [name, mode])),
      rbd_cache: `${spec.rbdCache}`,
      osd_pool_default_size: `${replicas}`,
      osd_pool_default_min_size: `${Math.max(1, replicas - 1)}`,
      osd_pool_default_pg_autoscale_mode: "off",
      mon_allow_pool_size_one: "true",
      mon_allow_pool_delete: "true",
      // There is one host: replicas go to different OSDs instead of different hosts.
      osd_crush_chooseleaf_type: "0",
    },
    mon: {
      mon_data: home.path("$name"),
      keyring: home.path("$name", "keyring"),
      // Otherwise each of the many map changes during start-up is delayed by a second to batch proposals.
      paxos_propose_interval: "0.05",
      // A taken port stays taken: try another at once.
      ms_bind_retry_delay: "0",
      // Three monitors that start for the first time wait for one election timeout.
      mon_election_timeout: "2",
      mon_data_avail_warn: "2",
      mon_data_avail_crit: "1",
      mon_max_pg_per_osd: "1000",
      mon_warn_on_pool_no_redundancy: "false",
      mon_warn_on_insecure_global_id_reclaim: "false",
      mon_warn_on_insecure_global_id_reclaim_allowed: "false",
      ...files(home),
    },
    mgr: {
      mgr_data: home.path("$name"),
      public_addr: ip,
      mgr_initial_modules: "",
      // Loading all modules takes seconds, and their activity (balancer, reports, device health) disturbs measurements.
      ...(spec.mgrModules ? {} : { mgr_module_path: home.path("modules") }),
      mgr_stats_period: "1",
      mgr_tick_period: "1",
      ...files(home),
    },
    osd: {
      osd_data: home.path("$name"),
      public_addr: ip,
      cluster_addr: ip,
      ...storeOptions(spec),
      ...(classDirectory ? { osd_class_dir: classDirectory } : {}),
      // It runs its own `ceph`, which crashes with msgr v1 and auth none.
      osd_class_update_on_start: "false",
      // A long PG log slows a memstore OSD down over minutes of writing; a short one keeps figures stable.
      osd_min_pg_log_entries: "100",
      osd_max_pg_log_entries: "200",
      // A PG of one copy whose read lease ran out (16 s, if the OSD is held up so long) waits for ever for others to renew it.
      ...(replicas === 1 ? { osd_pool_default_read_lease_ratio: "30" } : {}),
      // No scrub runs into a measurement (a flag such as noscrub would mean HEALTH_WARN for ever).
      osd_max_scrubs: "0",
      ...files(home),
    },
  };
  for (const [name, value] of Object.entries(spec.settings)) {
    // The caller's option applies to every daemon, so a daemon's section must not override it.
    for (const section of Object.values(conf)) delete section[name];
    conf.global[name] = `${value}`;
  }
  return conf;
}

function storeOptions({ store, osdSize, osdMemoryTarget }: ClusterSpec): Record<string, string> {
  const memory = {
    osd_memory_target: `${osdMemoryTarget}`,
    // Autotuning to the target needs tcmalloc, which a distribution's daemons may lack.
    bluestore_cache_autotune: "false",
    bluestore_cache_size: `${Math.floor(osdMemoryTarget / 2)}`,
  };
  if (store === "bluestore")
    return { osd_objectstore: "bluestore", bluestore_block_size: `${osdSize}`, ...memory };
  return {
    osd_objectstore: "memstore",
    memstore_device_bytes: `${osdSize}`,
    memstore_page_set: "true",
    // While one PG trims a snapshot, memstore's iterator over what is to be trimmed may point at an entry that another
    // PG removes: the OSD then crashes (MemStore::OmapIteratorImpl::value, Ceph 16.2).
    osd_max_trimming_pgs: "1",
  };
}

function files(home: ClusterHome): Record<string, string> {
  return { admin_socket: home.path("$name.asok"), log_file: home.path("$name.log") };
}
