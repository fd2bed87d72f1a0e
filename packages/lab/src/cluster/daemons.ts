import { statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { askAdminSocket } from "../ceph/admin-socket.ts";
import { cephEnvironment } from "../ceph/environment.ts";
import { LabError } from "../errors.ts";
import { run } from "../host/command.ts";
import { Daemon } from "../host/daemon.ts";
import { Patience } from "../host/patience.ts";
import { cpuSeconds } from "../host/proc.ts";
import { platformOf } from "../roots/platform-of.ts";
import type { Resource } from "../state/resource.ts";
import { daemonFailure, knownFailure } from "./failure.ts";
import { type ClusterHome, clusterPaths, type DaemonId } from "./layout.ts";

/** Starts one daemon of a cluster; it is up when its admin socket answers. */
export async function startCephDaemon(resource: Resource, daemon: DaemonId): Promise<Daemon> {
  const paths = clusterPaths(resource);
  return await Daemon.start({
    name: daemon.name,
    command: `ceph-${daemon.kind}`,
    args: ["-f", "--conf", paths.conf, "--id", daemon.id],
    from: platformOf(resource),
    env: cephEnvironment,
    resource,
  });
}

/** Makes an OSD's store. Needs no monitor. */
export async function formatOsd(
  resource: Resource,
  daemon: DaemonId,
  uuid: string,
  signal?: AbortSignal,
): Promise<void> {
  await runCeph(resource, daemon, "ceph-osd", osdMkfs(resource, daemon, uuid), signal);
}

/** Makes a monitor's store. */
export async function formatMon(resource: Resource, daemon: DaemonId, signal?: AbortSignal): Promise<void> {
  await runCeph(resource, daemon, "ceph-mon", monMkfs(resource, daemon), signal);
}

/** Arguments of ceph-osd(8) that make a store. */
export function osdMkfs(home: ClusterHome, { id }: DaemonId, uuid: string): string[] {
  const { conf } = clusterPaths(home);
  return ["--mkfs", "--no-mon-config", "--conf", conf, "--id", id, "--osd-uuid", uuid];
}

/** Arguments of ceph-mon(8) that make a store. */
export function monMkfs(home: ClusterHome, { id }: DaemonId): string[] {
  const { conf, monmap, monKeyring } = clusterPaths(home);
  return ["--mkfs", "--conf", conf, "--id", id, "--monmap", monmap, "--keyring", monKeyring];
}

/**
 * Polls a daemon until `done` accepts its answer, as long as the daemon uses CPU or writes to its log: on a busy
 * machine an OSD may take minutes to read its store.
 *
 * @throws LabError at once if the daemon ends, SIPHON_TIMEOUT after two minutes without progress, or half an hour
 */
export async function awaitDaemon<T>(
  resource: Resource,
  daemon: Daemon,
  socket: string,
  prefix: string,
  done: (answer: T) => boolean,
  { signal, quietMs = 120_000 }: { signal?: AbortSignal; quietMs?: number } = {},
): Promise<T> {
  const log = resource.path(`${daemon.name}.log`);
  const patience = new Patience({ progress: () => workOf(daemon.pid, log), quietMs });
  for (;;) {
    signal?.throwIfAborted();
    if (daemon.exit) throw await daemonFailure(resource, daemon);
    const answer = await askAdminSocket(socket, { prefix }, { signal }).catch(() => undefined);
    signal?.throwIfAborted();
    if (answer !== undefined && done(answer as T)) return answer as T;
    const over = patience.isOver;
    if (over) {
      throw new LabError("SIPHON_TIMEOUT", `${daemon.name} is not ready ${over}`, { hint: `read ${log}` });
    }
    await sleep(25);
  }
}

/** The CPU time that a process has used, and how much it has logged. */
function workOf(pid: number, log: string): string {
  const logged = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  return `${cpuSeconds(pid)} s, ${logged} bytes`;
}

async function runCeph(
  resource: Resource,
  daemon: DaemonId,
  command: string,
  args: string[],
  signal?: AbortSignal,
): Promise<void> {
  const env = { ...cephEnvironment, ...resource.environment };
  try {
    await run(command, args, {
      from: platformOf(resource),
      env,
      cwd: resource.dir,
      signal,
      timeoutMs: 180_000,
    });
  } catch (error) {
    throw (await knownFailure(daemon.name, resource, (error as Error).message, error)) ?? error;
  }
}
