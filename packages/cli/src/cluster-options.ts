import { existsSync } from "node:fs";
import type { ClusterOptions } from "@siphon/rados";
import { givenSettings } from "./ceph-settings.ts";

/** The flags of Ceph's own programs for the cluster and the user. */
export interface ConnectFlags {
  conf?: string;
  cluster?: string;
  name?: string;
  id?: string;
  monHost?: string;
  keyring?: string;
  keyfile?: string;
}

/** The cluster and user that the flags name, for this process or another one. */
export async function clusterOptions(
  flags: ConnectFlags,
): Promise<Pick<ClusterOptions, "conf" | "name" | "cluster" | "settings">> {
  const { conf, name, id, monHost, keyring, keyfile } = flags;
  const user = name ?? (id === undefined ? undefined : `client.${id}`);
  const { cluster } = flags;
  const options = {
    conf,
    name: user,
    cluster,
    settings: { ...givenSettings(), mon_host: monHost, keyring, keyfile },
  };
  if (conf === undefined && monHost === undefined && process.env.CEPH_CONF === undefined) {
    const own = await ownCluster(cluster);
    if (own !== undefined) return { ...options, conf: own.conf, cluster: undefined };
  }
  return options;
}

/** The local cluster of that name; without a name, `default` if no other cluster is configured. */
async function ownCluster(name: string | undefined): Promise<{ conf: string } | undefined> {
  if (name === undefined && existsSync("/etc/ceph/ceph.conf")) return undefined;
  // Loaded only here: the lab is large and rarely needed.
  const { LocalCluster } = await import("@siphon/lab");
  const clusters = await LocalCluster.list();
  return clusters.find((cluster) => cluster.name === (name ?? "default"));
}
