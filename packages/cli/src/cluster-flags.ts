import { CephClient, LocalCluster, requireOwnImage } from "@siphon/lab";
import type { Command } from "commander";

/** The flags that select the cluster: one of siphon's own, or an existing one. */
export interface ClusterFlags {
  cluster: string;
  conf?: string;
  user?: string;
  pool?: string;
  namespace?: string;
  yesOverwrite?: boolean;
}

export function withClusterFlags(command: Command): Command {
  return command
    .optionsGroup("Where:")
    .option("--cluster <name>", "a cluster of siphon cluster up", "default")
    .option("--conf <file>", "an existing cluster's ceph.conf, instead of --cluster")
    .option("--user <name>", "user without the client. prefix (default: libvirt)")
    .option("--pool <name>", "pool (default: libvirt-pool)")
    .option("--namespace <name>", "namespace in the pool")
    .option(
      "--yes-overwrite",
      "on an existing cluster: allow an image whose name does not begin with siphon-",
    );
}

/**
 * The cluster that the flags name. On an existing cluster, images whose names do not start with siphon- are refused.
 */
export async function clientFor(flags: ClusterFlags, image: string): Promise<CephClient> {
  const { conf, cluster, user, pool, namespace, yesOverwrite } = flags;
  if (conf === undefined) {
    const { client } = await LocalCluster.find(cluster);
    return client.with({ namespace, ...(user && { user }), ...(pool && { pool }) });
  }
  const client = new CephClient({ conf, user: user ?? "libvirt", pool: pool ?? "libvirt-pool", namespace });
  requireOwnImage(client, image, yesOverwrite);
  return client;
}
