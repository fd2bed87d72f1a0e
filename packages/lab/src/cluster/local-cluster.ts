import { type AdminCommand, askAdminSocket } from "../ceph/admin-socket.ts";
import { CephClient } from "../ceph/client.ts";
import { type ClientConf, writeClientConf } from "../ceph/conf.ts";
import { LabError } from "../errors.ts";
import type { Daemon } from "../host/daemon.ts";
import { isRunning, type ProcessId, processId } from "../host/proc.ts";
import { Resource } from "../state/resource.ts";
import { type BringUpOptions, bringUp } from "./bring-up.ts";
import { clusterPaths, type DaemonId, type DaemonKind, daemonsOf } from "./layout.ts";
import { freePorts } from "./ports.ts";
import { type ClusterSpec, type ClusterSpecInput, parseClusterSpec } from "./spec.ts";

export type UpOptions = Partial<BringUpOptions>;

/** What a cluster's lease says of it. */
interface Details extends Record<string, unknown> {
  spec: ClusterSpec;
  fsid?: string;
  /** The processes of its daemons by name; null for one that was stopped on purpose. */
  daemons?: Record<string, ProcessId | null>;
}

/**
 * A Ceph cluster on this machine: real daemons on 127.0.0.1 that live in one directory and end with it. It is
 * removed when disposed of, unless `keep()` was called; a kept one is found again by its name.
 */
export class LocalCluster implements AsyncDisposable {
  readonly resource: Resource;
  readonly spec: ClusterSpec;
  /** As client.admin, in the pool for images. */
  readonly admin: CephClient;
  /** As the user who may use the pool for images, and no more. */
  readonly client: CephClient;

  private constructor(resource: Resource, spec: ClusterSpec) {
    const { pool, user } = spec;
    const { conf } = clusterPaths(resource);
    this.resource = resource;
    this.spec = spec;
    this.admin = new CephClient({ conf, user: "admin", pool }, resource.environment);
    this.client = new CephClient({ conf, user, pool }, resource.environment);
  }

  /**
   * Makes and starts a cluster; returns when it can be used. Whatever ends it early (an abort, a full disk, a
   * daemon that dies) leaves nothing behind. A port that is taken meanwhile means another try with others.
   */
  static async up(input: ClusterSpecInput = {}, options: UpOptions = {}): Promise<LocalCluster> {
    const spec = parseClusterSpec(input);
    const { ports = freePorts, ...rest } = options;
    for (let tries = 3; ; tries--) {
      options.signal?.throwIfAborted();
      const resource = await Resource.create("clusters", spec.name, { spec });
      try {
        const { fsid, daemons } = await bringUp(resource, spec, { ports, ...rest });
        await resource.note({ fsid, daemons: processIds(daemons) });
        return new LocalCluster(resource, spec);
      } catch (error) {
        await resource.remove();
        const portTaken = error instanceof LabError && error.code === "SIPHON_IN_USE" && error.retryable;
        if (!portTaken || tries === 1) throw error;
      }
    }
  }

  /** The cluster of that name; throws SIPHON_NOT_FOUND. It may have stopped: see `stopped`. */
  static async find(name: string): Promise<LocalCluster> {
    const found = (await LocalCluster.list()).find((cluster) => cluster.name === name);
    if (found) return found;
    throw new LabError("SIPHON_NOT_FOUND", `there is no cluster ${name}`, {
      hint: "list clusters with: siphon cluster list",
    });
  }

  /** All clusters that were completed, in the order of their names. */
  static async list(): Promise<LocalCluster[]> {
    const resources = await Resource.list("clusters");
    return resources
      .filter(({ details }) => (details as Details).daemons !== undefined)
      .map((resource) => new LocalCluster(resource, (resource.details as Details).spec));
  }

  get name(): string {
    return this.spec.name;
  }

  get fsid(): string {
    return (this.resource.details as Details).fsid!;
  }

  /** Path of the ceph.conf; with it every user finds their keyring. */
  get conf(): string {
    return clusterPaths(this.resource).conf;
  }

  /** Pids of the running OSDs. */
  get osdPids(): number[] {
    return this.#pids("osd");
  }

  get monPids(): number[] {
    return this.#pids("mon");
  }

  /** A configuration for a client of this cluster with options of its own, called `name` among them. */
  async clientConf(
    name: string,
    options: Record<string, string>,
    user = this.spec.user,
  ): Promise<ClientConf> {
    const dir = `${clusterPaths(this.resource).clientConfs}/${name}`;
    return writeClientConf({ base: this.conf, user, options, dir });
  }

  /** Asks a daemon (`osd.0`) at its admin socket: `config show`, `perf dump`. */
  async daemon(name: string, command: string | AdminCommand): Promise<unknown> {
    const socket = clusterPaths(this.resource).adminSocket(this.#daemonId(name));
    return askAdminSocket(socket, typeof command === "string" ? { prefix: command } : command);
  }

  /** Lets the cluster outlive this process. */
  async keep(): Promise<void> {
    await this.resource.keep();
  }

  /** Ends all daemons and removes all files, or with `keep` leaves the files to be looked at. */
  async down({ keep = false } = {}): Promise<void> {
    if (!keep) return this.resource.remove();
    await this.resource.endProcesses();
    await this.resource.keep();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.resource[Symbol.asyncDispose]();
  }

  #daemonId(name: string): DaemonId {
    const found = daemonsOf(this.spec).find((daemon) => daemon.name === name);
    if (found) return found;
    throw new LabError("SIPHON_NOT_FOUND", `the cluster ${this.name} has no daemon ${name}`, {
      hint: `it has ${daemonsOf(this.spec)
        .map((daemon) => daemon.name)
        .join(", ")}`,
    });
  }

  #pids(kind: DaemonKind): number[] {
    return Object.entries((this.resource.details as Details).daemons ?? {})
      .filter(([name, id]) => name.startsWith(`${kind}.`) && id !== null && isRunning(id))
      .map(([, id]) => id!.pid);
  }
}

function processIds(daemons: Daemon[]): Record<string, ProcessId | null> {
  return Object.fromEntries(daemons.map(({ name, pid }) => [name, processId(pid) ?? null]));
}
