import { existsSync } from "node:fs";
import type { ClusterOptions } from "@siphon/rados";
import { givenSettings } from "./ceph-settings.ts";

/** The flags of Ceph's own programs that say which cluster, and as whom. */
export interface ConnectFlags {
  conf?: string;
  cluster?: string;
  name?: string;
  id?: string;
  monHost?: string;
  keyring?: string;
  keyfile?: string;
}

/** Which cluster the flags name, and as whom, for this process or another one. */
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

/** A cluster of this machine by that name; without a name `default`, where there is no other to be meant. */
async function ownCluster(name: string | undefined): Promise<{ conf: string } | undefined> {
  if (name === undefined && existsSync("/etc/ceph/ceph.conf")) return undefined;
  // Loaded only here: most of the time there is no need of the lab, and it is large.
  const { LocalCluster } = await import("@siphon/lab");
  const clusters = await LocalCluster.list();
  return clusters.find((cluster) => cluster.name === (name ?? "default"));
}
