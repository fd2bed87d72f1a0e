import { Cluster } from "@siphon/rados";
import type { Command } from "commander";
import { type ConnectFlags, clusterOptions } from "./cluster-options.ts";
import { assertDefaultPool } from "./commands/rbd/default-pool.ts";
import { interruption } from "./interruption.ts";

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
    .option("-K, --keyfile <file>", "file that contains only the key");
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
