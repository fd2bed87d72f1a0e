import { CephConf, type Cluster, parseCephFlags } from "@siphon/rados";
import { clusterOptions } from "../../cluster-options.ts";

let pool = "rbd";
/** Nothing nearer than the monitors has said which pool is meant. */
let undecided = false;
let used = false;
let ofMonitors: string | undefined;

/** The pool that is meant where none is named. */
export function defaultPool(): string {
  used = true;
  return pool;
}

/** Finds `rbd_default_pool` on the command line, in CEPH_ARGS and in ceph.conf, before there is a connection. */
export async function findDefaultPool(args: readonly string[]): Promise<void> {
  const { conf, cluster, name } = parseCephFlags(args);
  const found = await CephConf.load(await clusterOptions({ conf, cluster, name }))
    .then((settings) => settings.get("rbd_default_pool"))
    // Connecting reports the error.
    .catch(() => undefined);
  pool = [found, ofMonitors].find(isPoolName) ?? "rbd";
  undecided = found === undefined && ofMonitors === undefined;
  used = false;
}

/** The monitors name another default pool than the one that a call was taken to mean. */
class OtherDefaultPool extends Error {}

/**
 * Called with each new connection, before anything is done with it.
 *
 * @throws OtherDefaultPool if the call is to be looked at again
 */
export function assertDefaultPool(cluster: Cluster): void {
  const theirs = cluster.setting("rbd_default_pool");
  if (!undecided || !used || !isPoolName(theirs) || theirs === pool) return;
  ofMonitors = theirs;
  throw new OtherDefaultPool(`the default pool is ${theirs}`);
}

/** Runs a call again where the monitors' setting changes what it means; nothing has been done by then. */
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
