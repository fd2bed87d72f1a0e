import { setTimeout as sleep } from "node:timers/promises";
import type { Authenticator } from "../auth/authenticator.ts";
import { RadosError } from "../errors.ts";
import type { MgrMap } from "../messages/mgr-map.ts";
import { Backoff } from "../messenger/backoff.ts";
import type { Messenger } from "../messenger/messenger.ts";
import type { Peer } from "../messenger/peer.ts";
import { byPreference } from "../mon/candidates.ts";
import type { MonClient } from "../mon/client.ts";
import type { OsdMapFeed } from "../mon/osdmap-feed.ts";
import type { CommandResult } from "../mon/requests.ts";
import { type WaitOptions, within } from "../wait.ts";
import { type CommandOptions, type CommandTarget, parsePgId } from "./command.ts";
import { daemonCommand, monDaemonCommand, pingMonitor } from "./daemon-command.ts";

/** The maps, and access to the daemons. */
export interface CommandPaths {
  readonly messenger: Messenger;
  readonly authenticator: Authenticator;
  readonly monClient: MonClient;
  readonly osdmaps: OsdMapFeed;
}

/** Sends commands to their targets: the monitors, one of them, an OSD, a PG's primary, the manager. */
export class CommandRouter {
  readonly #paths: CommandPaths;
  #mgrMap: MgrMap | undefined;
  #mgrMapArrived = Promise.withResolvers<void>();

  constructor(paths: CommandPaths) {
    this.#paths = paths;
  }

  /** The name of the active manager; empty if there is none. */
  get activeMgr(): string {
    return this.#mgrMap?.activeName ?? "";
  }

  takeMgrMap(map: MgrMap): void {
    this.#mgrMap = map;
    this.#mgrMapArrived.resolve();
    this.#mgrMapArrived = Promise.withResolvers();
  }

  /** Sends a command (JSON text) and waits for the answer, which may be an error. */
  async send(
    prefix: string,
    command: string,
    target: CommandTarget,
    options: CommandOptions,
  ): Promise<CommandResult> {
    const { input } = options;
    const { messenger, authenticator, monClient } = this.#paths;
    if (target === "mon") return monClient.command(command, input, `\`${prefix}\``, options);
    const request = { command, input, fsid: monClient.monmap!.fsid, forModules: target === "mgr" };
    if (typeof target === "object" && "mon" in target) {
      return monDaemonCommand(messenger, authenticator, monClient.peer(target.mon), request, options);
    }
    const peer =
      target === "mgr" || "mgr" in target
        ? await this.#mgrPeer(options)
        : this.#osdPeer("osd" in target ? target.osd : this.#primaryOf(target.pg));
    return this.#withTicket(options, (wait) => daemonCommand(messenger, authenticator, peer, request, wait));
  }

  /**
   * A daemon must accept the client's ticket before a command. If the client has none, or the daemon rejects it because
   * one side has outdated keys, the client requests a new ticket and tries again until the timeout.
   */
  async #withTicket<T>(options: CommandOptions, attempt: (wait: WaitOptions) => Promise<T>): Promise<T> {
    const { timeout = 60_000, signal } = options;
    const deadline = performance.now() + timeout;
    const backoff = new Backoff(100, 5_000);
    for (;;) {
      try {
        return await attempt({ timeout: Math.max(1, deadline - performance.now()), signal });
      } catch (error) {
        const pause = backoff.next();
        if (!isRefusedTicket(error) || performance.now() + pause > deadline) throw error;
        this.#paths.monClient.renewTickets();
        await sleep(pause, undefined, { signal }).catch(() => signal?.throwIfAborted());
      }
    }
  }

  ping(mon: string, options: WaitOptions): Promise<string> {
    const { messenger, authenticator, monClient } = this.#paths;
    return pingMonitor(messenger, authenticator, monClient.peer(mon), options);
  }

  #osdPeer(osd: number): Peer & { type: "osd" } {
    const osdmap = this.#paths.osdmaps.map!;
    const [addr] = byPreference(osdmap.addrs(osd));
    if (addr !== undefined && osdmap.isUp(osd)) return { type: "osd", name: `osd.${osd}`, addr };
    if (!osdmap.exists(osd)) throw new RadosError("ENOENT", `osd.${osd} does not exist`);
    throw new RadosError("ENXIO", `osd.${osd} is down`, { retryable: true });
  }

  #primaryOf(pgId: string): number {
    const { pool: id, seed } = parsePgId(pgId);
    const osdmap = this.#paths.osdmaps.map!;
    const pool = osdmap.pool(id);
    if (pool === undefined || seed >= pool.pgNum) throw new RadosError("ENOENT", `there is no PG ${pgId}`);
    const { actingPrimary } = osdmap.place(pool, seed);
    if (actingPrimary >= 0) return actingPrimary;
    throw new RadosError("EAGAIN", `PG ${pgId} has no primary OSD now`, { retryable: true });
  }

  async #mgrPeer(options: WaitOptions): Promise<Peer & { type: "mgr" }> {
    const wait = async () => {
      while (this.#mgrMap === undefined || !this.#mgrMap.available) await this.#mgrMapArrived.promise;
      return this.#mgrMap;
    };
    const map = await within(wait(), "no active manager", options, "start one: see `ceph mgr stat`");
    const [addr] = byPreference(map.activeAddrs);
    if (addr === undefined) throw new RadosError("ENXIO", `mgr.${map.activeName} has no address`);
    return { type: "mgr", name: `mgr.${map.activeName}`, addr };
  }
}

function isRefusedTicket(error: unknown): boolean {
  return error instanceof RadosError && error.code === "SIPHON_RADOS_AUTH" && error.retryable;
}
