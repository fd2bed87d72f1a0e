import { type Authenticator, authenticatorFor } from "./auth/authenticator.ts";
import {
  type Command,
  type CommandOptions,
  checkResult,
  commandText,
  parseOutput,
} from "./cluster/command.ts";
import { CommandRouter } from "./cluster/command-router.ts";
import { locateObject, type ObjectLocation } from "./cluster/object-location.ts";
import { type ClusterStatistics, readStatistics } from "./cluster/pool-statistics.ts";
import {
  blocklistCommand,
  createPoolCommands,
  deletePoolCommand,
  type PoolSpec,
  readUsage,
  type Usage,
} from "./cluster/pools.ts";
import { type ClusterOptions, type ClusterSettings, resolveSettings } from "./cluster/settings.ts";
import { type ClusterStatus, readStatus } from "./cluster/status.ts";
import { RadosError } from "./errors.ts";
import { Link, type LinkHandler } from "./messenger/link.ts";
import { Messenger } from "./messenger/messenger.ts";
import { byPreference } from "./mon/candidates.ts";
import { MonClient } from "./mon/client.ts";
import type { MonMap } from "./mon/monmap.ts";
import { OsdMapFeed, type OsdMapListener } from "./mon/osdmap-feed.ts";
import type { CommandResult } from "./mon/requests.ts";
import { Objecter } from "./objecter/objecter.ts";
import type { ObjecterOptions } from "./objecter/objecter-host.ts";
import type { PoolOptions } from "./objects/object-options.ts";
import type { Pool } from "./objects/pool.ts";
import { Pools } from "./objects/pools.ts";
import type { ObjectLocator } from "./osdmap/object-hash.ts";
import type { OsdMap } from "./osdmap/osdmap.ts";
import { throwUnowned } from "./unowned.ts";
import type { WaitOptions } from "./wait.ts";

/**
 * A connection to a cluster as one user: a maintained session with the monitors, current maps, and commands.
 *
 * ```ts
 * await using cluster = await Cluster.connect({ conf: "/etc/ceph/ceph.conf", name: "client.admin" });
 * const { nodes } = await cluster.command({ prefix: "osd df" });
 * ```
 */
export class Cluster implements AsyncDisposable {
  readonly #messenger: Messenger;
  readonly #authenticator: Authenticator;
  readonly #osdmaps: OsdMapFeed;
  readonly #monClient: MonClient;
  readonly #router: CommandRouter;
  #config: ReadonlyMap<string, string> = new Map();
  readonly #conf: ClusterSettings["conf"];
  readonly #commandTimeout: number | undefined;
  readonly #objecterOptions: ObjecterOptions;
  #objecter: Objecter | undefined;
  #pools: Pools | undefined;
  readonly #options: ClusterOptions;
  readonly #closing = new AbortController();

  private constructor(settings: ClusterSettings, options: ClusterOptions) {
    const { coalescing, openTransport, fencedWith } = options;
    this.#messenger = new Messenger({
      ...{ modes: settings.modes, signMessages: settings.signMessages },
      ...(coalescing && { coalescing }),
      ...(openTransport && { openTransport }),
      fencedWith,
    });
    this.#options = options;
    this.#conf = settings.conf;
    this.#commandTimeout = settings.commandTimeout;
    this.#objecterOptions = settings.objecter;
    this.#authenticator = authenticatorFor(settings.name, settings.key, settings.keySource);
    this.#monClient = new MonClient(
      this.#messenger,
      this.#authenticator,
      {
        ...{ candidates: settings.mons, fsid: settings.fsid },
        ...{ pingInterval: settings.pingInterval, pingTimeout: settings.pingTimeout },
      },
      {
        monmap: () => {},
        osdmap: (message) => this.#osdmaps.take(message),
        config: (settings) => {
          this.#config = settings;
        },
        mgrmap: (map) => this.#router.takeMgrMap(map),
      },
    );
    this.#osdmaps = new OsdMapFeed(this.#monClient);
    this.#router = new CommandRouter({
      ...{ messenger: this.#messenger, authenticator: this.#authenticator },
      ...{ osdmaps: this.#osdmaps, monClient: this.#monClient },
    });
  }

  /**
   * Finds the monitors, authenticates and gets the first maps.
   *
   * @throws RadosError, within the connect timeout: SIPHON_RADOS_UNREACHABLE, _AUTH, _UNTRUSTED, _MODE, _CONFIG
   */
  static async connect(options: ClusterOptions = {}): Promise<Cluster> {
    const settings = await resolveSettings(options);
    const cluster = new Cluster(settings, options);
    try {
      await cluster.#open(settings.connectTimeout, options.signal);
      return cluster;
    } catch (error) {
      cluster.close();
      throw error;
    }
  }

  get fsid(): string {
    return this.monmap.fsid;
  }

  /** The user, such as `client.admin`. */
  get name(): string {
    const { type, id } = this.#authenticator.name;
    return `${type}.${id}`;
  }

  /** The client's global id for OSDs: the first that the monitors assigned, as long as the handle is open. */
  get globalId(): bigint {
    return this.#messenger.globalId;
  }

  get monmap(): MonMap {
    return this.#monClient.monmap!;
  }

  /**
   * Options for further clients, in worker threads of this process, that the cluster fences together with this one: putting this
   * client on the blocklist ends them all. They can be sent to a worker, and may hold a key.
   *
   * @throws RadosError SIPHON_RADOS_MODE if OSDs speak only protocol v1, in which a client has one address; _CONFIG for
   * a client with its own transport
   */
  fencedOptions(): ClusterOptions {
    const { signal: _, openTransport, ...options } = this.#options;
    if (openTransport !== undefined) {
      throw new RadosError(
        "SIPHON_RADOS_CONFIG",
        "a client with its own transport cannot have further clients",
      );
    }
    const { osdmap } = this;
    const old = osdmap.state.osds.addrs.findIndex(
      (addrs, osd) => osdmap.isUp(osd) && !addrs.some(({ type }) => type === "msgr2"),
    );
    if (old >= 0) {
      throw new RadosError(
        "SIPHON_RADOS_MODE",
        `osd.${old} speaks only protocol v1, where a client has one address`,
        {
          hint: "clients that are fenced together need msgr2 on all OSDs (ms_bind_msgr2)",
        },
      );
    }
    return { ...options, fencedWith: this.#messenger.fencedWith ?? this.#messenger.addr };
  }

  /** The newest OSD map that has arrived. */
  get osdmap(): OsdMap {
    return this.#osdmaps.map!;
  }

  /** The monitor of the session, `mon.a`; undefined while the client looks for one. */
  get currentMon(): string | undefined {
    return this.#monClient.currentMon;
  }

  /** Settings for this client that the monitors keep (`ceph config set client ...`), by name. */
  get config(): ReadonlyMap<string, string> {
    return this.#config;
  }

  /** A setting from flags, environment and ceph.conf, or else from the monitors. */
  setting(name: string): string | undefined {
    const ofMonitors = this.#conf.get("no_mon_config") === "true" ? undefined : this.#config.get(name);
    return this.#conf.get(name) ?? ofMonitors;
  }

  /** Sends requests to the OSDs of their objects, for programs that serve disks (`@siphon/rados/engine`). */
  get objecter(): Objecter {
    this.#objecter ??= new Objecter(
      {
        ...{ messenger: this.#messenger, osdmaps: this.#osdmaps },
        linkToOsd: (osd, handler) => this.#linkToOsd(osd, handler),
        latestOsdMap: () => this.latestOsdMap(),
      },
      this.#objecterOptions,
    );
    return this.#objecter;
  }

  /**
   * Opens a pool.
   *
   * @throws RadosError ENOENT if there is no such pool
   */
  async pool(name: string, options?: PoolOptions & Pick<WaitOptions, "signal">): Promise<Pool> {
    this.#pools ??= new Pools(this.objecter, this.#osdmaps, {
      poolOp: (op, what, wait) => this.#monClient.poolOp(op, what, this.#waiting(wait ?? {})),
      latestOsdMap: (wait) => this.latestOsdMap(wait),
    });
    return this.#pools.open(name, options);
  }

  /**
   * Runs a command and returns its output, parsed from JSON; undefined for none.
   *
   * @throws RadosError with the daemon's errno as the code
   */
  async command(command: Command, options: CommandOptions = {}): Promise<unknown> {
    const result = await this.run({ format: "json", ...command }, options);
    return parseOutput(command, result);
  }

  /** Runs a command and returns its output, byte for byte. */
  async run(command: Command, options: CommandOptions = {}): Promise<CommandResult> {
    const target = options.target ?? "mon";
    const text = commandText(command);
    const result = await this.#router.send(command.prefix, text, target, this.#waiting(options));
    return checkResult(command, target, result);
  }

  /**
   * A monitor's state and the cluster's health, as JSON text with `health` and `mon_status`.
   *
   * @param mon its name without `mon.`
   * @throws RadosError ENOENT if the monitor is not in the map
   */
  async pingMonitor(mon: string, options: WaitOptions = {}): Promise<string> {
    return this.#router.ping(mon, this.#waiting(options));
  }

  /** Calls back with each new OSD map, until disposed of. */
  onOsdMap(listener: OsdMapListener): Disposable {
    return this.#osdmaps.watch((map) => {
      try {
        listener(map);
      } catch (error) {
        throwUnowned(error);
      }
    });
  }

  /** The monitors' current OSD map, or a later one. */
  async latestOsdMap(options: WaitOptions = {}): Promise<OsdMap> {
    const waiting = this.#waiting(options);
    return this.#osdmaps.atLeast(await this.#monClient.newestVersion("osdmap", waiting), waiting);
  }

  /** The output of `ceph status`. */
  async status(options?: WaitOptions): Promise<ClusterStatus> {
    return readStatus(await this.command({ prefix: "status" }, options), this.#router.activeMgr);
  }

  /**
   * The placement group and the OSDs of an object, computed from the map. The object need not exist.
   *
   * @throws RadosError ENOENT if there is no such pool
   */
  locate(poolName: string, object: string, locator: ObjectLocator = {}): ObjectLocation {
    return locateObject(this.osdmap, poolName, object, locator);
  }

  /** Names of the pools by id. */
  get pools(): ReadonlyMap<number, string> {
    return this.osdmap.state.poolNames;
  }

  /** Creates a pool; it is in `osdmap` when this returns. */
  async createPool(spec: PoolSpec, options?: WaitOptions): Promise<void> {
    for (const command of createPoolCommands(spec)) await this.run(command, options);
    await this.latestOsdMap(options);
  }

  /** Removes a pool with all its objects. The monitors must allow it (mon_allow_pool_delete). */
  async deletePool(name: string, options?: WaitOptions): Promise<void> {
    await this.run(deletePoolCommand(name), options);
    await this.latestOsdMap(options);
  }

  /** Used and free space of the cluster and its pools. */
  async df(options?: WaitOptions): Promise<Usage> {
    return readUsage(await this.command({ prefix: "df" }, options));
  }

  /** Contents of the pools, and operations on them. Needs the caps for `df` and `pg dump`. */
  async statistics(options?: WaitOptions): Promise<ClusterStatistics> {
    const [usage, pgs] = await Promise.all([
      this.command({ prefix: "df", detail: "detail" }, options),
      this.command({ prefix: "pg dump", dumpcontents: ["pools"] }, options),
    ]);
    return readStatistics(usage, pgs);
  }

  /**
   * Puts a client on the blocklist, or removes it; in force in `osdmap` when this returns.
   *
   * @param addr as in the OSD map: `192.0.2.1:0/1234`
   * @param seconds duration; default an hour
   */
  async blocklist(
    action: "add" | "rm",
    addr: string,
    seconds?: number,
    options?: WaitOptions,
  ): Promise<void> {
    await this.run(blocklistCommand(action, addr, seconds), options);
    await this.latestOsdMap(options);
  }

  /** Asks the monitors for new tickets, because a daemon did not accept the old ones. */
  renewTickets(): void {
    this.#monClient.renewTickets();
  }

  /** Ends all connections; requests without an answer fail with SIPHON_RADOS_CLOSED. */
  close(): void {
    const closed = new RadosError("SIPHON_RADOS_CLOSED", "the cluster handle was closed");
    this.#closing.abort(closed);
    this.#pools?.close(closed);
    this.#objecter?.close();
    this.#monClient.close();
    this.#messenger.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** A persistent connection to an OSD. Its holder calls `relocate` for each new map. */
  #linkToOsd(osd: number, handler: LinkHandler): Link {
    const locate = () => (this.osdmap.isUp(osd) ? byPreference(this.osdmap.addrs(osd))[0] : undefined);
    const renewTickets = () => this.renewTickets();
    const name = `osd.${osd}`;
    const shared = { messenger: this.#messenger, authenticator: this.#authenticator };
    return new Link({ ...shared, type: "osd", name, locate, renewTickets }, handler);
  }

  async #open(timeout: number, signal: AbortSignal | undefined): Promise<void> {
    const deadline = performance.now() + timeout;
    for (const what of ["osdmap", "config", "mgrmap"]) this.#monClient.subscribe(what);
    await this.#monClient.open(timeout, signal);
    await this.#osdmaps.atLeast(1, { timeout: Math.max(1, deadline - performance.now()), signal });
  }

  /** Aborts waits when the handle is closed. */
  #waiting<T extends WaitOptions>(options: T): T {
    const signals = [this.#closing.signal, ...(options.signal ? [options.signal] : [])];
    return { timeout: this.#commandTimeout, ...options, signal: AbortSignal.any(signals) };
  }
}
