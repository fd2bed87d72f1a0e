import type { Cluster, Pool } from "@siphon/rados";
import { RbdError } from "../errors.ts";

/**
 * Opens a pool by its id.
 *
 * @throws RbdError SIPHON_RBD_NO_POOL
 */
export async function poolById(cluster: Cluster, id: number, namespace = ""): Promise<Pool> {
  const name = cluster.pools.get(id) ?? (await cluster.latestOsdMap()).poolName(id);
  if (name === undefined) throw new RbdError("SIPHON_RBD_NO_POOL", `there is no pool with id ${id}`);
  return cluster.pool(name, { namespace });
}
