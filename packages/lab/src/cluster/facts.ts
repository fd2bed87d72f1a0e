import { LabError } from "../errors.ts";
import type { Fact } from "../results/schema.ts";
import type { ClusterSpec } from "./spec.ts";

/** Options to report besides those that the caller set. */
const OPTIONS = [
  "auth_client_required",
  "ms_bind_msgr1",
  "ms_bind_msgr2",
  "osd_memory_target",
  "bluestore_cache_size",
  "rbd_cache",
  "osd_min_pg_log_entries",
  "osd_max_pg_log_entries",
  "osd_max_scrubs",
];

const MODES = ["client", "cluster", "service", "mon_client", "mon_cluster", "mon_service"];

/**
 * The settings of a local cluster, as an OSD says they are: `version` and `config` are its answers to
 * `version` and `config show`.
 */
export function clusterFacts(spec: ClusterSpec, version: unknown, config: unknown): Fact[] {
  const values = config as Record<string, string>;
  const value = (name: string) => values[name] ?? unknownOption(name);
  const modes = new Set(MODES.map((who) => value(`ms_${who}_mode`)));
  const names = new Set([...OPTIONS, ...Object.keys(spec.settings)]);
  if (spec.store === "memstore")
    for (const name of ["osd_memory_target", "bluestore_cache_size"]) names.delete(name);
  return [
    { name: "Ceph", value: (version as { version: string }).version },
    { name: "cluster", value: "local, all daemons on this machine" },
    { name: "monitors", value: `${spec.mons}` },
    { name: "OSDs", value: `${spec.osds}` },
    { name: "replicas", value: `${spec.replicas}` },
    { name: "placement groups", value: `${spec.pgs}` },
    { name: "object store", value: value("osd_objectstore") },
    { name: "bytes an OSD can store", value: `${spec.osdSize}` },
    { name: "ms_*_mode (all six)", value: [...modes].join(", ") },
    ...[...names].map((name) => ({ name, value: value(name) })),
  ];
}

function unknownOption(name: string): never {
  throw new LabError("SIPHON_USAGE", `Ceph has no option ${name}`);
}
