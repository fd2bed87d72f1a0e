import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createImage } from "@siphon/lab";
import { MigratingVm } from "./migrating-vm.ts";
import {
  disksAt,
  type Host,
  type MigrationOptions,
  other,
  serverArguments,
  type Way,
} from "./migration-hosts.ts";
import { MigrationLoad } from "./migration-load.ts";
import { type Moment, migrateUntil } from "./migration-moments.ts";
import { run } from "./run.ts";
import { SiphonAttach } from "./siphon-attach.ts";

/** Durations of a migration in milliseconds. */
export interface Migrated {
  /** The guest's downtime as the source's QEMU reports it. */
  downtime: number;
  /** From the stop at the source until the guest continues at the destination, by the times of QEMU's events. */
  paused: number;
  /** Total time, as QEMU reports it. */
  total: number;
  /** The longest write around it by the guest's clock, which stops with the guest; includes the wait for the lock. */
  longestWrite: number;
}

/**
 * A VM that moves between two servers of its disks, under a load that verifies its writes. Each server represents a
 * host; they share only the cluster and the migration's socket.
 */
export class Migrations implements AsyncDisposable {
  readonly #options: MigrationOptions;
  readonly #servers: SiphonAttach[] = [];
  #vm: MigratingVm | undefined;
  #load: MigrationLoad | undefined;
  /** The host that the VM is on. */
  #host: Host = 0;
  #count = 0;

  private constructor(options: MigrationOptions) {
    this.#options = options;
  }

  static async begin(options: MigrationOptions): Promise<Migrations> {
    const { ceph, directory, ways } = options;
    const migrations = new Migrations(options);
    try {
      for (const image of ways) await createImage(ceph.admin, { image, size: 64 << 20 });
      for (const host of [0, 1] as const) {
        const args = serverArguments(options, host);
        if (args !== undefined) migrations.#servers.push(await SiphonAttach.start(...args));
      }
      migrations.#vm = await MigratingVm.start({ directory, disks: disksAt(options, 0) });
      const devices = ways.map((_, index) => `vd${"abc"[index]}`);
      migrations.#load = await MigrationLoad.start((command) => migrations.#guest.run(command), devices);
      return migrations;
    } catch (error) {
      await migrations[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Moves the guest to the other host, and verifies there the data that it read during the migration. */
  async complete(): Promise<Migrated> {
    const source = this.#guest;
    const destination = await this.#destination();
    try {
      await this.#load!.startReading();
      await source.prepareMigration({
        ...{ bandwidth: 2 ** 32, downtimeLimit: this.#options.downtimeLimit },
      });
      const ended = source.migrationIs("completed", "failed");
      const stopped = source.qmp.nextEvent(({ event }) => event === "STOP");
      const resumed = destination.qmp.nextEvent(({ event }) => event === "RESUME");
      for (const each of [ended, stopped, resumed]) each.catch(() => {});
      await source.qmp.execute("migrate", { uri: this.#uri });
      assert.equal(await ended, "completed");
      const paused = (await resumed).at - (await stopped).at;
      const { downtime, total } = await durations(source);
      await source.quit();
      this.#vm = destination;
      this.#host = other(this.#host);
      await destination.enter();
      await this.#load!.checkRead();
      const longestWrite = await this.#load!.goesOn();
      return { downtime, paused, total, longestWrite };
    } finally {
      if (this.#vm !== destination) await destination.kill();
    }
  }

  /** Cancels a migration. */
  async cancel(moment: Moment): Promise<void> {
    const destination = await this.#destination();
    try {
      await migrateUntil(this.#guest, this.#uri, moment);
      const cancelled = this.#guest.migrationIs("cancelled");
      await this.#guest.qmp.execute("migrate_cancel");
      await cancelled;
      await this.#load!.goesOn();
    } finally {
      await destination.kill();
    }
  }

  /** Kills the destination. */
  async loseDestination(moment: Moment): Promise<void> {
    const source = this.#guest;
    // As with libvirt, the destination continues the guest only when it is told to.
    const destination = await this.#destination({ waits: true });
    const over = source.migrationIs("failed", "completed");
    over.catch(() => {});
    if (moment === "listening") await destination.kill();
    try {
      await migrateUntil(source, this.#uri, moment);
    } finally {
      await destination.kill();
    }
    // The source may have sent everything before it could notice.
    if ((await endOf(source, over)) === "completed") await source.qmp.execute("cont");
    await this.#load!.goesOn();
  }

  /** The error of the destination's QEMU when it is told to use post-copy (7.2 ends then); empty if it accepts. */
  async postCopyRefusal(): Promise<string> {
    await using destination = await this.#destination();
    const capabilities = [{ capability: "postcopy-ram", state: true }];
    return destination.qmp.execute("migrate-set-capabilities", { capabilities }).then(
      () => "",
      (error) => String(error),
    );
  }

  /** The address of the client that owns a disk's exclusive lock. */
  async lockOwner(way: Way): Promise<string> {
    const { conf, client } = this.#options.ceph;
    const locks = await run("rbd", ["-c", conf, "lock", "ls", "--format", "json", `${client.pool}/${way}`]);
    const [{ address }] = JSON.parse(locks);
    return address;
  }

  /** Stops the guest where it is, so that others have the machine for themselves. */
  async rest(): Promise<void> {
    await this.#guest.qmp.execute("stop");
  }

  async resume(): Promise<void> {
    await this.#guest.qmp.execute("cont");
  }

  /** Ends the load, the VM and the servers in order. */
  async end(): Promise<void> {
    await this.#load!.end();
    await this.#guest.kill();
    for (const server of this.#servers) await server.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#vm?.kill();
    for (const server of this.#servers) await server.kill();
  }

  get #guest(): MigratingVm {
    return this.#vm!;
  }

  async #destination({ waits = false } = {}): Promise<MigratingVm> {
    this.#count++;
    const { directory } = this.#options;
    const disks = disksAt(this.#options, other(this.#host));
    return MigratingVm.start({ directory, disks, incoming: this.#socket, waits });
  }

  get #socket(): string {
    return join(this.#options.directory, `migration-${this.#count}`);
  }

  get #uri(): string {
    return `unix:${this.#socket}`;
  }
}

/** Waits for the end of a migration whose destination is gone: a source that has stopped the guest must be told to go on. */
async function endOf(source: MigratingVm, over: Promise<string>): Promise<string> {
  for (;;) {
    const status = await Promise.race([over, pause(50, undefined)]);
    if (status !== undefined) return status;
    const state = "pre-switchover";
    // A QEMU that has noticed the loss itself refuses this.
    if ((await source.migrationStatus()).status === state)
      await source.qmp.execute("migrate-continue", { state }).catch(() => {});
  }
}

/** Once the source has completed: QEMU calculates them after its event. */
async function durations(source: MigratingVm): Promise<{ downtime: number; total: number }> {
  for (;;) {
    const { downtime = 0, "total-time": total = 0 } = await source.migrationStatus();
    if (total > 0) return { downtime, total };
    await pause(5);
  }
}
