import { CephConf, type Cluster, parseCephFlags } from "@siphon/rados";
import { clusterOptions } from "../../cluster-options.ts";

let pool = "rbd";
/** True while neither the command line, CEPH_ARGS nor ceph.conf names the pool: the monitors' setting then decides. */
let undecided = false;
let used = false;
let ofMonitors: string | undefined;

/** The pool of a spec that names none. */
export function defaultPool(): string {
  used = true;
  return pool;
}

/** Looks for `rbd_default_pool` on the command line, in CEPH_ARGS and in ceph.conf, before any connection exists. */
export async function findDefaultPool(args: readonly string[]): Promise<void> {
  const { conf, cluster, name } = parseCephFlags(args);
  const found = await CephConf.load(await clusterOptions({ conf, cluster, name }))
    .then((settings) => settings.get("rbd_default_pool"))
    // The error is reported when the connection is made.
    .catch(() => undefined);
  pool = [found, ofMonitors].find(isPoolName) ?? "rbd";
  undecided = found === undefined && ofMonitors === undefined;
  used = false;
}

/** The monitors name another default pool than the one that this call assumed. */
class OtherDefaultPool extends Error {}

/**
 * Called with each new connection, before the connection is used.
 *
 * @throws OtherDefaultPool if the call must be parsed again with the monitors' default pool
 */
export function assertDefaultPool(cluster: Cluster): void {
  const theirs = cluster.setting("rbd_default_pool");
  if (!undecided || !used || !isPoolName(theirs) || theirs === pool) return;
  ofMonitors = theirs;
  throw new OtherDefaultPool(`the default pool is ${theirs}`);
}

/** Runs a call again if the monitors' setting changes its meaning. Nothing has been done by then. */
export async function meaningDefaultPool<T>(run: () => Promise<T>): Promise<T> {
  ofMonitors = undefined;
  try {
    return await run();
  } catch (error) {
    if (error instanceof OtherDefaultPool) return await run();
    throw error;
  }
}

function isPoolName(name: string | undefined): name is string {
  return name !== undefined && /^[^@/]+$/.test(name);
}
