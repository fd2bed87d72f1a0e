import { adminSocketCommand, CephConf, type Cluster, RadosError } from "@siphon/rados";
import { adviceOf, SiphonError } from "@siphon/wire";
import { type ConnectFlags, clusterOptions } from "../../cluster-options.ts";
import { interruption } from "../../interruption.ts";

const { signal } = interruption;

/** `ping mon.a`, `ping mon.*`: the monitors' reports about themselves. */
export async function ping(cluster: Cluster, whom: string | undefined): Promise<void> {
  const [, name] = /^mon\.(.+)$/.exec(whom ?? "") ?? [];
  if (name === undefined) throw badCall('"ping" expects a monitor to ping', "ceph ping mon.<id>, or mon.*");
  const known = cluster.monmap.mons.map((mon) => mon.name);
  if (name !== "*" && !known.includes(name)) {
    throw badCall(`there is no monitor ${name}`, `there are ${known.join(", ")}`);
  }
  for (const mon of name === "*" ? known : [name]) {
    if (name === "*") process.stdout.write(`mon.${mon}\n`);
    process.stdout.write(`${await cluster.pingMonitor(mon, { signal })}\n`);
  }
}

/**
 * `daemon osd.0 config show`, `daemon /run/ceph/ceph-osd.0.asok perf dump`: a daemon of this machine over its admin socket, without
 * the cluster.
 */
export async function askDaemon(
  which: string | undefined,
  words: readonly string[],
  format: string | undefined,
  flags: ConnectFlags,
): Promise<void> {
  if (which === undefined || words.length === 0) {
    throw new SiphonError("SIPHON_USAGE", "daemon takes a daemon and a command", {
      hint: "for example: siphon ceph daemon osd.0 config show",
    });
  }
  const path = which.includes("/") ? which : await socketOf(which, flags);
  process.stdout.write(await adminSocketCommand(path, words, format, { signal }).catch(asCephExits));
}

/** The socket's path according to the daemon's configuration. */
async function socketOf(daemon: string, flags: ConnectFlags): Promise<string> {
  if (!/^\w+\..+$/.test(daemon)) {
    throw new SiphonError(
      "SIPHON_USAGE",
      `${daemon} is no daemon: osd.0, mon.a, mgr.x, or the path of its socket`,
    );
  }
  const conf = await CephConf.load({ ...(await clusterOptions(flags)), name: daemon });
  return (
    conf.get("admin_socket") ?? `${conf.get("run_dir") ?? "/var/run/ceph"}/${conf.cluster}-${daemon}.asok`
  );
}

/** ceph exits with EINVAL for every failure at a socket. */
function asCephExits(error: unknown): never {
  if (!(error instanceof RadosError) || error.code !== "SIPHON_RADOS_UNREACHABLE") throw error;
  throw new SiphonError("EINVAL", error.message, { cause: error, ...adviceOf(error) });
}

/** An error for which ceph exits with 1. */
function badCall(message: string, hint: string): SiphonError {
  return new SiphonError("SIPHON_BAD_OPTION", message, { hint });
}
