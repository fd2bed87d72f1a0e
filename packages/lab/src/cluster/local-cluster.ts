import { type AdminCommand, askAdminSocket } from "../ceph/admin-socket.ts";
import { CephClient } from "../ceph/client.ts";
import { type ClientConf, writeClientConf } from "../ceph/conf.ts";
import { LabError } from "../errors.ts";
import type { Daemon } from "../host/daemon.ts";
import { host, type Platform } from "../host/platform.ts";
import { isRunning, type ProcessId, processId } from "../host/proc.ts";
import { endProcesses } from "../host/signals.ts";
import type { Fact } from "../results/schema.ts";
import { platformOf, rootDetails } from "../roots/platform-of.ts";
import { Resource } from "../state/resource.ts";
import { type BringUpOptions, bringUp } from "./bring-up.ts";
import { withCapacity } from "./capacity.ts";
import { startCephDaemon } from "./daemons.ts";
import { clusterFacts } from "./facts.ts";
import { unexpectedEnd } from "./failure.ts";
import { clusterPaths, type DaemonId, type DaemonKind, daemonsOf } from "./layout.ts";
import { freePorts } from "./ports.ts";
import { awaitMember } from "./ready.ts";
import { type ClusterSpec, type ClusterSpecInput, parseClusterSpec } from "./spec.ts";
import { cephStatus, type DaemonState, type LocalClusterStatus } from "./status.ts";
import { ClusterWatch } from "./watch.ts";

export interface UpOptions extends Partial<BringUpOptions> {
  /** Platform of its programs; default: this host. */
  from?: Platform;
}

/** Details in a cluster's lease. */
interface Details extends Record<string, unknown> {
  spec: ClusterSpec;
  fsid: string;
  /** The processes of its daemons by name; null for one that was stopped on purpose. */
  daemons: Record<string, ProcessId | null>;
}

/**
 * A Ceph cluster on this machine: real daemons, by default on 127.0.0.1, whose files are in one directory. Disposing of
 * it removes it unless `keep()` was called; a kept one can be opened by its name.
 */
export class LocalCluster implements AsyncDisposable {
  readonly resource: Resource;
  readonly spec: ClusterSpec;
  /** Where its programs come from. */
  readonly platform: Platform;
  /** As client.admin, in the pool for images. */
  readonly admin: CephClient;
  /** As the user whose caps are limited to the pool for images. */
  readonly client: CephClient;

  private constructor(resource: Resource) {
    this.resource = resource;
    this.spec = this.#details.spec;
    const { pool, user } = this.spec;
    const { environment } = resource;
    this.platform = platformOf(resource);
    this.admin = new CephClient({ conf: this.conf, user: "admin", pool }, environment, this.platform);
    this.client = new CephClient({ conf: this.conf, user, pool }, environment, this.platform);
  }

  /**
   * Creates and starts a cluster; returns when it is usable. After an abort, a full disk or a daemon's death, nothing
   * remains. If a port was taken meanwhile, it tries again with other ports.
   */
  static async up(input: ClusterSpecInput = {}, options: UpOptions = {}): Promise<LocalCluster> {
    const requested = parseClusterSpec(input);
    const { ports = freePorts, from = host, ...rest } = options;
    for (let tries = 3; ; tries--) {
      options.signal?.throwIfAborted();
      const resource = await Resource.create("clusters", requested.name, rootDetails(from));
      try {
        const spec = await withCapacity(requested, resource.dir);
        const { fsid, daemons } = await bringUp(resource, spec, { ports, ...rest });
        await resource.note({ spec, fsid, daemons: processIds(daemons) });
        return new LocalCluster(resource);
      } catch (error) {
        await resource.remove();
        const portTaken = error instanceof LabError && error.code === "SIPHON_IN_USE" && error.retryable;
        if (!portTaken || tries === 1) throw withoutSpace(error, resource.dir);
      }
    }
  }

  /** The cluster of that name; throws SIPHON_NOT_FOUND. */
  static async find(name: string): Promise<LocalCluster> {
    const found = (await LocalCluster.list()).find((cluster) => cluster.name === name);
    if (found) return found;
    if (await Resource.find("clusters", name)) {
      throw new LabError(
        "SIPHON_NOT_FOUND",
        `the cluster ${name} is still coming up, or was left half made`,
        {
          hint: "remove what an earlier crash left behind with: siphon clean",
        },
      );
    }
    throw new LabError("SIPHON_NOT_FOUND", `there is no cluster ${name}`, {
      hint: "list clusters with: siphon cluster list",
    });
  }

  /** All clusters that have been up, sorted by name. */
  static async list(): Promise<LocalCluster[]> {
    const resources = await Resource.list("clusters");
    return resources
      .filter(({ details }) => (details as Details).daemons !== undefined)
      .map((resource) => new LocalCluster(resource));
  }

  get name(): string {
    return this.spec.name;
  }

  get fsid(): string {
    return this.#details.fsid;
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

  /** The daemons and whether each is running. */
  get daemons(): DaemonState[] {
    return daemonsOf(this.spec).map(({ name }) => {
      const id = this.#details.daemons[name];
      if (!id) return { name, pid: null, state: "stopped" };
      return isRunning(id) ? { name, pid: id.pid, state: "running" } : { name, pid: null, state: "died" };
    });
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

  /** Sends a command to a daemon's admin socket (`osd.0`): `config show`, `perf dump`. */
  async daemon(name: string, command: string | AdminCommand): Promise<unknown> {
    const socket = clusterPaths(this.resource).adminSocket(this.#daemonId(name));
    return askAdminSocket(socket, typeof command === "string" ? { prefix: command } : command);
  }

  /** The settings of a running OSD, for the report. */
  async facts(): Promise<Fact[]> {
    const osd = this.daemons.find(({ name, state }) => name.startsWith("osd.") && state === "running");
    if (!osd) throw new LabError("SIPHON_CLUSTER", `no OSD of the cluster ${this.name} is running`);
    const [version, config] = [
      await this.daemon(osd.name, "version"),
      await this.daemon(osd.name, "config show"),
    ];
    return clusterFacts(this.spec, version, config);
  }

  async status({ signal }: { signal?: AbortSignal } = {}): Promise<LocalClusterStatus> {
    const { name, fsid, conf, daemons, resource } = this;
    const { pool, user } = this.spec;
    const reachable = this.monPids.length > 0;
    return {
      ...{ name, fsid, dir: resource.dir, conf, pool, user },
      ...{ created: resource.created.toISOString(), kept: resource.kept, daemons },
      ceph: reachable ? await cephStatus(this.admin, signal) : undefined,
    };
  }

  /** For work that depends on the cluster: aborted soon after a daemon has ended unexpectedly. */
  watch(): ClusterWatch {
    return new ClusterWatch(() => this.#findDead());
  }

  /** Stops a daemon in order: SIGTERM, and SIGKILL after `graceMs`. */
  async stopDaemon(name: string, { graceMs = 30_000 } = {}): Promise<void> {
    const { name: known } = this.#daemonId(name);
    const id = this.#details.daemons[known];
    // Recorded first, so that the watch does not report it as unexpected.
    await this.#note(known, null);
    if (id && isRunning(id)) await endProcesses([id.pid], { graceMs });
  }

  /** Kills a daemon. A memstore OSD loses its data and cannot be started again. */
  async killDaemon(name: string): Promise<void> {
    await this.stopDaemon(name, { graceMs: 0 });
  }

  /** Starts a stopped or dead daemon, and waits until it is back in the cluster. */
  async startDaemon(name: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const id = this.#daemonId(name);
    if (this.daemons.some((daemon) => daemon.name === name && daemon.state === "running")) return;
    const daemon = await startCephDaemon(this.resource, id);
    await this.#note(name, processId(daemon.pid) ?? null);
    await awaitMember(this.resource, daemon, id, this.fsid, signal);
  }

  /** Lets the cluster outlive this process. */
  async keep(): Promise<void> {
    await this.resource.keep();
  }

  /** Ends all daemons and removes all files, or with `keep` leaves the files for inspection. */
  async down({ keep = false } = {}): Promise<void> {
    if (!keep) return this.resource.remove();
    const stopped = Object.fromEntries(Object.keys(this.#details.daemons).map((name) => [name, null]));
    await this.resource.note({ daemons: stopped });
    await this.resource.endProcesses();
    await this.resource.keep();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.resource[Symbol.asyncDispose]();
  }

  get #details(): Details {
    return this.resource.details as Details;
  }

  #daemonId(name: string): DaemonId {
    const all = daemonsOf(this.spec);
    const found = all.find((daemon) => daemon.name === name);
    if (found) return found;
    throw new LabError("SIPHON_NOT_FOUND", `the cluster ${this.name} has no daemon ${name}`, {
      hint: `it has: ${all.map((daemon) => daemon.name).join(", ")}`,
    });
  }

  #pids(kind: DaemonKind): number[] {
    return this.daemons.filter(({ name }) => name.startsWith(`${kind}.`)).flatMap(({ pid }) => pid ?? []);
  }

  async #note(name: string, id: ProcessId | null): Promise<void> {
    await this.resource.note({ daemons: { ...this.#details.daemons, [name]: id } });
  }

  async #findDead(): Promise<LabError | undefined> {
    const died = ({ state }: DaemonState) => state === "died";
    if (!this.daemons.some(died)) return undefined;
    // Another process may have stopped it, or started it again, or taken the whole cluster down.
    const now = await Resource.find("clusters", this.name);
    if (!now) return new LabError("SIPHON_CLUSTER", `the cluster ${this.name} was taken down`);
    const dead = new LocalCluster(now).daemons.find(died);
    return dead && unexpectedEnd(this.resource, dead.name);
  }
}

function withoutSpace(error: unknown, dir: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== "ENOSPC") return error;
  return new LabError("SIPHON_NO_SPACE", `no space left in ${dir}`, { cause: error });
}

function processIds(daemons: Daemon[]): Record<string, ProcessId | null> {
  return Object.fromEntries(daemons.map(({ name, pid }) => [name, processId(pid) ?? null]));
}
