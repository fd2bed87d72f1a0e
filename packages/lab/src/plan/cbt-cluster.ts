import { isIPv4 } from "node:net";
import { join } from "node:path";
import { stateDir } from "../state/paths.ts";
import type { PlanTarget } from "./cbt-benchmark.ts";
import { type CbtFile, mapping, type Options, values } from "./cbt-file.ts";

/** An inventory as written: CBT may not give a host's address. */
export interface InventoryDraft {
  name: string;
  directory?: string;
  ssh?: { user: string };
  hosts: HostDraft[];
  cluster: { replicas?: number; pgs?: number; pool?: string };
}

interface HostDraft {
  name: string;
  address: string;
  ssh?: { user: string };
  mon?: true | { v1: number };
  mgr?: true;
  osds?: { device: string }[];
}

/** Placeholder for an address that the user must fill in; it is not a valid address. */
export const UNKNOWN = "?";

const reasons: Record<string, string> = {
  head: "siphon runs on the machine that it is called on",
  clients: "the load comes from the machine that siphon is called on",
  rgws: "siphon deploys no gateways",
  mdss: "siphon deploys no metadata servers",
  fs: "OSDs are BlueStore's, straight on the device",
  mkfs_opts: "OSDs are BlueStore's, straight on the device",
  mount_opts: "OSDs are BlueStore's, straight on the device",
  newstore_block: "OSDs are BlueStore's, straight on the device",
  rebuild_every_test: "deploy anew between plans with: siphon cluster deploy --recreate",
  clusterid: "the inventory's name is used",
  conf_file: "its options are not read: put those that matter under cluster.settings in the inventory",
  "ceph.conf": "its options are not read: put those that matter under cluster.settings in the inventory",
};

export interface ImportedCluster {
  target: PlanTarget;
  /** Undefined for an existing cluster. */
  inventory?: InventoryDraft;
}

/** The cluster of a test plan: an existing one (CBT's default), or one to be deployed. */
export function importCluster(
  file: CbtFile,
  profileName: string | undefined,
  pool: string | undefined,
): ImportedCluster {
  const cluster = mapping(file.content.cluster);
  const repeat = isCount(cluster.iterations) ? Number(cluster.iterations) : 1;
  const profile = importProfiles(file, mapping(cluster.pool_profiles), profileName);
  const existing = cluster.use_existing !== false;
  const conf = typeof cluster.conf_file === "string" ? cluster.conf_file : "/etc/ceph/ceph.conf";
  const known = ["iterations", "use_existing", "pool_profiles"];
  if (existing) {
    leave(file, cluster, [...known, "conf_file"], (key) =>
      deployed.includes(key) ? "the cluster is there already (use_existing)" : undefined,
    );
    if (profile && profileName) {
      file.leave(
        ["cluster", "pool_profiles", profileName],
        "siphon works in a pool that is there, and changes nothing of it",
      );
    }
    return { target: { existing: { conf, user: "admin", pool: pool ?? "libvirt-pool" }, repeat } };
  }
  leave(file, cluster, [
    ...known,
    ...deployed.filter((key) => key !== "head"),
    ...(isPath(cluster.tmp_dir) ? ["tmp_dir"] : []),
  ]);
  const name = "cbt";
  const user = typeof cluster.user === "string" ? { ssh: { user: cluster.user } } : {};
  const inventory: InventoryDraft = {
    name,
    ...(isPath(cluster.tmp_dir) ? { directory: String(cluster.tmp_dir) } : {}),
    ...user,
    hosts: importHosts(file, cluster),
    cluster: { ...profile, ...(pool === undefined ? {} : { pool }) },
  };
  const place = join(stateDir(), "clusters", name, "ceph.conf");
  return {
    target: { existing: { conf: place, user: "libvirt", pool: pool ?? "libvirt-pool" }, repeat },
    inventory,
  };
}

/** Options for the placement of daemons. */
const deployed = ["user", "osds", "servers", "mons", "mgrs", "osds_per_node"];

/** Placement groups and copies of the pool that the benchmarks use. */
function importProfiles(
  file: CbtFile,
  profiles: Options,
  wanted: string | undefined,
): InventoryDraft["cluster"] | undefined {
  for (const name of Object.keys(profiles)) {
    if (name !== wanted)
      file.leave(["cluster", "pool_profiles", name], "no benchmark that is taken over uses it");
  }
  if (wanted === undefined || !(wanted in profiles)) return undefined;
  const place = ["cluster", "pool_profiles", wanted];
  const { pg_size, pgp_size, replication, ...others } = mapping(profiles[wanted]);
  for (const key of Object.keys(others)) file.leave([...place, key], "it has no counterpart in siphon");
  if (pgp_size !== undefined && pgp_size !== pg_size)
    file.leave([...place, "pgp_size"], "it is always that of pg_size");
  return {
    ...(isCount(pg_size) ? { pgs: Number(pg_size) } : {}),
    ...(isCount(replication) ? { replicas: Number(replication) } : {}),
  };
}

/** CBT's hosts, without duplicates, with their daemons. */
function importHosts(file: CbtFile, cluster: Options): HostDraft[] {
  const hosts = new Map<string, HostDraft>();
  const add = (key: string, text: string, more: Partial<HostDraft>) => {
    if (!/^([\w.-]+@)?[\w.-]+$/.test(text))
      return file.leave(["cluster", key], `${text} names no single host`);
    const at = text.lastIndexOf("@");
    const name = text.slice(at + 1);
    const known = hosts.get(name) ?? {
      name: isIPv4(name) ? name : name.split(".")[0],
      address: isIPv4(name) ? name : UNKNOWN,
      ...(at > 0 ? { ssh: { user: text.slice(0, at) } } : {}),
    };
    hosts.set(name, { ...known, ...more });
  };
  for (const [host, mon] of monitors(file, cluster.mons)) add("mons", host, mon);
  for (const host of namesIn(cluster.mgrs).slice(0, 1)) add("mgrs", host, { mgr: true });
  if (namesIn(cluster.mgrs).length > 1)
    file.leave(["cluster", "mgrs"], "siphon deploys one manager: the first is taken");
  const perHost = Number(cluster.osds_per_node ?? 1);
  // CBT's devices: partitions with these labels (its README, "Disk partitioning").
  const osds = Array.from({ length: perHost }, (_, n) => ({
    device: `/dev/disk/by-partlabel/osd-device-${n}-data`,
  }));
  const key = "osds" in cluster ? "osds" : "servers"; // its name in old plans
  for (const host of namesIn(cluster[key])) add(key, host, { osds });
  for (const [host, { address }] of hosts) {
    if (address === UNKNOWN) file.leave(["cluster", key], `the address of ${host} is not told: fill it in`);
  }
  return [...hosts.values()];
}

/** `host`, `[host, host]`, or `{ host: { a: "address:port" } }`. */
function monitors(file: CbtFile, mons: unknown): [string, Partial<HostDraft>][] {
  if (typeof mons === "string" || Array.isArray(mons))
    return namesIn(mons).map((host) => [host, { mon: true }]);
  return Object.entries(mapping(mons)).map(([host, ids]) => {
    const [first, ...others] = Object.values(mapping(ids)).map(String);
    if (others.length > 0)
      file.leave(["cluster", "mons", host], "siphon runs one monitor on a host: the first is taken");
    const [address, port = "6789"] = (first ?? "").split(":");
    const where = isIPv4(address) ? { address } : {};
    return [host, { ...where, mon: port === "6789" ? true : { v1: Number(port) } }];
  });
}

function namesIn(value: unknown): string[] {
  return Array.isArray(value) || typeof value === "string"
    ? values(value).map(String)
    : Object.keys(mapping(value));
}

/** Lists ignored options. */
function leave(
  file: CbtFile,
  cluster: Options,
  taken: string[],
  why: (key: string) => string | undefined = () => undefined,
): void {
  for (const key of Object.keys(cluster)) {
    if (taken.includes(key)) continue;
    const program = /_cmd$/.test(key) ? "siphon runs the programs that it finds in PATH" : undefined;
    file.leave(["cluster", key], why(key) ?? reasons[key] ?? program ?? "it has no counterpart in siphon");
  }
}

function isPath(value: unknown): boolean {
  return typeof value === "string" && /^(\/[A-Za-z0-9._+@:-]+){2,}$/.test(value);
}

function isCount(value: unknown): boolean {
  return Number.isInteger(Number(value)) && Number(value) > 0;
}
