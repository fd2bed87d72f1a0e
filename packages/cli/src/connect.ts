import { existsSync } from "node:fs";
import { Cluster, type ClusterOptions } from "@siphon/rados";
import type { Command } from "commander";
import { givenSettings } from "./ceph-settings.ts";
import { assertDefaultPool } from "./commands/rbd/default-pool.ts";
import { interruption } from "./interruption.ts";

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

export function withConnectFlags(command: Command): Command {
  return command
    .optionsGroup("Where:")
    .option(
      "-c, --conf <file>",
      "ceph.conf (default: CEPH_CONF, /etc/ceph/ceph.conf, the cluster called default)",
    )
    .option("--cluster <name>", "a cluster of siphon cluster up, or /etc/ceph/<name>.conf")
    .option("-n, --name <type.id>", "user (default: client.admin)")
    .option("--id <id>", "user without the client. prefix")
    .option("-m, --mon-host <addresses>", "monitors, instead of those in ceph.conf")
    .option("-k, --keyring <file>", "keyring, instead of the one in ceph.conf")
    .option("-K, --keyfile <file>", "file that holds the key alone");
}

/** Connects to the cluster that the flags name. */
export async function connectCluster(flags: ConnectFlags): Promise<Cluster> {
  const cluster = await Cluster.connect({ ...(await clusterOptions(flags)), signal: interruption.signal });
  try {
    assertDefaultPool(cluster);
    return cluster;
  } catch (error) {
    cluster.close();
    throw error;
  }
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
