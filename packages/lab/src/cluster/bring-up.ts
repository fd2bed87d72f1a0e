import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { CephClient } from "../ceph/client.ts";
import { insecureKeyChecks, keysOf } from "../ceph/key-type.ts";
import { keyringText } from "../ceph/keyring.ts";
import { createPool, createUser, initRbdPool, rbdCaps } from "../ceph/pool.ts";
import type { CephSession } from "../ceph/session.ts";
import type { Daemon } from "../host/daemon.ts";
import { Together } from "../host/together.ts";
import { platformOf } from "../roots/platform-of.ts";
import type { Resource } from "../state/resource.ts";
import { formatMon, formatOsd, startCephDaemon } from "./daemons.ts";
import { daemonFailure } from "./failure.ts";
import { writeClusterFiles } from "./files.ts";
import { checkSocketPaths, clusterPaths, type DaemonId, daemonsOf } from "./layout.ts";
import { awaitClean, awaitOsds, awaitQuorum, type ClusterStatus, checkFsid } from "./ready.ts";
import { LOOPBACK, type MonAddress } from "./settings.ts";
import type { ClusterSpec } from "./spec.ts";

export interface BringUpOptions {
  signal?: AbortSignal;
  /** Called with a few words about each step. */
  onStep?: (step: string) => void;
  /** Address of all daemons, reachable by their clients; default 127.0.0.1. */
  address?: string;
  /** Ports for the monitors that are currently free. */
  ports: (count: number, address: string) => Promise<number[]>;
}

/** The parts of a running cluster. */
export interface BroughtUp {
  fsid: string;
  daemons: Daemon[];
}

/**
 * Makes a cluster in an empty resource and starts it. Ready means: all OSDs up, all PGs active+clean, and the pool for
 * images written to. Slow steps run in parallel: OSD stores are created while the monitors start, and the pool exists
 * before the OSDs do. After a failure nothing continues, but files remain: the caller removes the resource.
 */
export async function bringUp(
  resource: Resource,
  spec: ClusterSpec,
  options: BringUpOptions,
): Promise<BroughtUp> {
  const { onStep = () => {}, address = LOOPBACK } = options;
  const fsid = randomUUID();
  const platform = platformOf(resource);
  const all = daemonsOf(spec);
  const [mons, mgrs, osds] = (["mon", "mgr", "osd"] as const).map((kind) =>
    all.filter((daemon) => daemon.kind === kind),
  );
  checkSocketPaths(clusterPaths(resource), all);
  const together = new Together(options.signal);
  const { signal } = together;
  const daemons: Daemon[] = [];
  let ready = false;
  const start = async (id: DaemonId) => {
    signal.throwIfAborted();
    const daemon = await startCephDaemon(resource, id);
    daemons.push(daemon);
    // A daemon that ends aborts all waits.
    const giveUp = async () => {
      if (!signal.aborted && !ready) together.fail(await daemonFailure(resource, daemon));
    };
    // Its output may be gone if another failure has removed the resource.
    void daemon.exited.then(giveUp).catch(() => {});
    return daemon;
  };

  onStep("keys and configuration");
  const ports = await options.ports(mons.length * 2, address);
  const keys = await keysOf(spec.keyType, resource.environment, platform);
  const place = { fsid, mons: monAddresses(mons, spec, address, ports), ip: address };
  await writeClusterFiles(resource, spec, place, keys);

  onStep(`making the stores of ${many(mons, "monitor")} and ${many(osds, "OSD")}`);
  const uuids = osds.map(() => randomUUID());
  const osdStores = osds.map((osd, n) => formatOsd(resource, osd, uuids[n], signal));
  const rest = async () => {
    await together.all(mons.map((mon) => formatMon(resource, mon, signal)));
    const started = await together.all(mons.map(start));
    await together.all(started.map((daemon, n) => awaitQuorum(resource, daemon, mons[n], fsid, signal)));

    onStep("making the pool and its user");
    const admin = new CephClient(
      { conf: clusterPaths(resource).conf, user: "admin" },
      resource.environment,
      platform,
    );
    const [session] = await together.all([admin.session({ signal }), ...mgrs.map(start)] as const);
    await using _ = session;
    if (keys.mustBeAllowed) await allowInsecureKeys(session);
    await makeMaps(resource, session, spec, fsid, uuids);
    const host = hostname().split(".")[0];
    await placeOsds(
      session,
      osds.map(({ id }) => ({ id, host, bytes: spec.osdSize })),
    );

    onStep(`starting ${many(osds, "OSD")}`);
    await together.all(osds.map((osd, n) => osdStores[n].then(() => start(osd))));
    const waiting = { resource, session, spec, signal };
    await awaitOsds(waiting);

    onStep("waiting until all placement groups are active+clean");
    await together.all([awaitClean(waiting), initRbdPool(admin, spec.pool, signal)]);
  };
  await together.all([rest(), ...osdStores]);
  ready = true;
  return { fsid, daemons };
}

function monAddresses(mons: DaemonId[], { msgr }: ClusterSpec, ip: string, free: number[]): MonAddress[] {
  return mons.map(({ id }, n) => ({
    id,
    ip,
    ...(msgr === "v1" ? {} : { v2: free[2 * n] }),
    ...(msgr === "v2" ? {} : { v1: free[2 * n + 1] }),
  }));
}

/** Announces the OSDs, and makes the pool for images and its user, whose keyring it writes. */
export async function makeMaps(
  resource: Resource,
  session: CephSession,
  { pool, pgs, replicas, user, mgrModules }: ClusterSpec,
  fsid: string,
  uuids: string[],
): Promise<void> {
  checkFsid(((await session.command(["status"])) as ClusterStatus).fsid, fsid);
  for (const [id, uuid] of uuids.entries()) await session.command(["osd", "new", uuid, `${id}`]);
  if (!mgrModules) await session.command(["health", "mute", "MGR_MODULE_ERROR", "--sticky"]);
  await createPool(session, { pool, pgs, replicas });
  const name = `client.${user}`;
  const key = await createUser(session, user, rbdCaps(pool));
  await writeFile(clusterPaths(resource).keyring(name), keyringText([{ name, key }]), { mode: 0o600 });
}

/** Mutes health warnings about keys of a requested type that is not the release's default. */
export async function allowInsecureKeys(session: CephSession): Promise<void> {
  for (const check of insecureKeyChecks) await session.command(["health", "mute", check, "--sticky"]);
}

/** An OSD's CRUSH location. */
export interface OsdPlace {
  id: string;
  /** The name of its host's bucket. */
  host: string;
  /** Bytes that it can store. */
  bytes: number;
}

/**
 * Puts the OSDs into the CRUSH map. OSDs would do it themselves at start, but with msgr v1 and auth none they may send
 * the command before they know the fsid, and then they exit ("wrong fsid").
 */
export async function placeOsds(session: CephSession, places: OsdPlace[]): Promise<void> {
  for (const { id, host, bytes } of places) {
    // The usual weight: TiB.
    const weight = (bytes / 2 ** 40).toFixed(6);
    await session.command(["osd", "crush", "add", `osd.${id}`, weight, "root=default", `host=${host}`]);
  }
}

function many(daemons: DaemonId[], word: string): string {
  return `${daemons.length} ${word}${daemons.length === 1 ? "" : "s"}`;
}
