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
import { run } from "./run.ts";
import { SiphonAttach } from "./siphon-attach.ts";

/** Durations of a migration in milliseconds, as measured by QEMU and the guest. */
export interface Migrated {
  /** The guest's downtime. */
  downtime: number;
  /** Total time. */
  total: number;
  /** The longest write around it by the guest's clock, which stops with the guest; includes the wait for the lock. */
  longestWrite: number;
}

/** The moment of a failure: while memory is sent, or once the guest was stopped. */
export type Moment = "running" | "stopped";

/**
 * A VM that moves between two servers of its disks, under a load that verifies its writes. Each server represents a
 * host; they share only the cluster and the migration's socket.
 */
export class Migrations implements AsyncDisposable {
  readonly #options: MigrationOptions;
  readonly #servers: SiphonAttach[] = [];
  readonly #devices: readonly string[];
  #vm: MigratingVm | undefined;
  /** The host that the VM is on. */
  #host: Host = 0;
  #count = 0;

  private constructor(options: MigrationOptions) {
    this.#options = options;
    this.#devices = options.ways.map((_, index) => `vd${"abc"[index]}`);
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
      await migrations.#startLoad();
      return migrations;
    } catch (error) {
      await migrations[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Moves the guest to the other host, and verifies there the data that it read during the migration. */
  async complete(): Promise<Migrated> {
    const destination = await this.#destination();
    try {
      await this.#startReading();
      const ended = this.#guest.migrationIs("completed", "failed");
      await this.#migrate({ bandwidth: 2 ** 32 });
      assert.equal(await ended, "completed");
      const { downtime = 0, "total-time": total = 0 } = await this.#status();
      await this.#guest.kill();
      this.#vm = destination;
      this.#host = other(this.#host);
      await destination.enter();
      await this.#checkRead();
      const longestWrite = await this.goesOn();
      return { downtime, total, longestWrite };
    } finally {
      if (this.#vm !== destination) await destination.kill();
    }
  }

  /** Cancels a migration. */
  async cancel(moment: Moment): Promise<void> {
    const destination = await this.#destination();
    try {
      await this.#migrateUntil(moment);
      const cancelled = this.#guest.migrationIs("cancelled");
      await this.#guest.qmp.execute("migrate_cancel");
      await cancelled;
      await this.goesOn();
    } finally {
      await destination.kill();
    }
  }

  /** Kills the destination. */
  async loseDestination(moment: Moment): Promise<void> {
    const destination = await this.#destination();
    const failed = this.#guest.migrationIs("failed");
    failed.catch(() => {});
    try {
      await this.#migrateUntil(moment);
    } finally {
      await destination.kill();
    }
    // A QEMU that has noticed the failure itself refuses migrate-continue.
    if (moment === "stopped")
      await this.#guest.qmp.execute("migrate-continue", { state: "pre-switchover" }).catch(() => {});
    await failed;
    await this.goesOn();
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

  /**
   * Waits until the load has verified all its writes twice on each disk; returns the longest write meanwhile, in
   * milliseconds.
   */
  async goesOn(): Promise<number> {
    const seen = await this.#passes();
    const wanted = this.#devices.map((device) => (seen.get(device) ?? 0) + 2);
    for (;;) {
      const passes = await this.#passes();
      if (this.#devices.every((device, index) => (passes.get(device) ?? 0) >= wanted[index]!)) break;
      await pause(100);
    }
    const reports = await Promise.all(
      this.#devices.flatMap((device, index) =>
        [1, 0].map((before) => this.#guest.run(`cat /tmp/fio-${device}-${wanted[index]! - before}`)),
      ),
    );
    return Math.max(...reports.map(longestWriteOf));
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
    await this.#guest.run("touch /tmp/stop; while ls /tmp/running-* >/dev/null 2>&1; do sleep 0.1; done");
    await this.#passes();
    const errors = await this.#guest.run("dmesg | grep -ci 'I/O error' || true");
    assert.equal(errors.trim(), "0");
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

  /** On each disk fio writes 4 MiB and reads them again, over and over; its reports are numbered. */
  async #startLoad(): Promise<void> {
    for (const device of this.#devices) {
      await this.#guest.run(
        `dd if=/dev/urandom of=/dev/${device} bs=1M seek=${randomAt} count=${randomMiB} oflag=direct iflag=fullblock 2>/dev/null; touch /tmp/running-${device}`,
      );
      const fio =
        `fio --name=v --filename=/dev/${device} --rw=randwrite --bs=16k --size=4m --iodepth=8 --ioengine=libaio --direct=1 ` +
        "--randrepeat=0 --verify=crc32c --verify_fatal=1 --do_verify=1 --verify_state_save=0 --output-format=json";
      const loop =
        `n=1; while [ ! -e /tmp/stop ]; do ${fio} >/tmp/report-${device} 2>&1 || { touch /tmp/failed-${device}; break; }; ` +
        `mv /tmp/report-${device} /tmp/fio-${device}-$n; rm -f /tmp/fio-${device}-$((n - 9)); n=$((n + 1)); done; ` +
        `rm /tmp/running-${device}`;
      await this.#guest.run(`(${loop}) >/dev/null 2>&1 </dev/null &`);
    }
    await this.goesOn();
  }

  /** The load's number of passes on each disk; throws fio's output if a pass failed. */
  async #passes(): Promise<Map<string, number>> {
    // ls stats each file, and fails if one is removed meanwhile.
    const names = (await this.#guest.run("cd /tmp && echo *")).split(/\s+/);
    const failed = names.find((name) => name.startsWith("failed-"));
    if (failed !== undefined) {
      throw new Error(
        await this.#guest.run(`cat /tmp/report-${failed.slice("failed-".length)}; dmesg | tail`),
      );
    }
    const passes = new Map<string, number>();
    for (const name of names) {
      const [, device, number] = /^fio-(\w+)-(\d+)$/.exec(name) ?? [];
      if (device !== undefined) passes.set(device, Math.max(passes.get(device) ?? 0, Number(number)));
    }
    return passes;
  }

  /**
   * From now on the guest gradually reads random bytes into its page cache: pages filled during the migration arrive at
   * the other host only if the server marks them dirty.
   */
  async #startReading(): Promise<void> {
    const read = this.#devices.map(
      (device) => `dd if=/dev/${device} bs=256k skip=$i count=1 of=/dev/null 2>/dev/null`,
    );
    const loop = `for i in $(seq ${randomAt * 4} ${(randomAt + randomMiB) * 4 - 1}); do ${read.join("; ")}; sleep 0.05; done`;
    await this.#guest.run(
      `echo 3 >/proc/sys/vm/drop_caches; touch /tmp/reading; (${loop}; rm /tmp/reading) >/dev/null 2>&1 </dev/null &`,
    );
  }

  /** Checks that the page cache has the same bytes as the disk. */
  async #checkRead(): Promise<void> {
    for (const device of this.#devices) {
      const read = `dd if=/dev/${device} bs=1M skip=${randomAt} count=${randomMiB} 2>/dev/null`;
      const sums = await this.#guest.run(
        `while [ -e /tmp/reading ]; do sleep 0.1; done; ${read} | md5sum; ${read.replace("2>", "iflag=direct 2>")} | md5sum`,
      );
      const [cached, stored] = sums.trim().split("\n");
      assert.equal(cached, stored, `${device}: the page cache has what is not on the disk`);
    }
  }

  async #destination(): Promise<MigratingVm> {
    this.#count++;
    const { directory } = this.#options;
    const disks = disksAt(this.#options, other(this.#host));
    return MigratingVm.start({ directory, disks, incoming: this.#socket });
  }

  get #socket(): string {
    return join(this.#options.directory, `migration-${this.#count}`);
  }

  async #migrate({ bandwidth, pauses = false }: { bandwidth: number; pauses?: boolean }): Promise<void> {
    const capabilities = [{ capability: "pause-before-switchover", state: pauses }];
    await this.#guest.qmp.execute("migrate-set-capabilities", { capabilities });
    await this.#guest.qmp.execute("migrate-set-parameters", {
      ...{ "max-bandwidth": bandwidth, "downtime-limit": this.#options.downtimeLimit ?? 2000 },
    });
    await this.#guest.qmp.execute("migrate", { uri: `unix:${this.#socket}` });
  }

  async #migrateUntil(moment: Moment): Promise<void> {
    const reached = this.#guest.migrationIs(moment === "stopped" ? "pre-switchover" : "active", "failed");
    // At the low bandwidth the memory is not sent within the test.
    await this.#migrate({ bandwidth: moment === "stopped" ? 2 ** 32 : 2 ** 20, pauses: true });
    assert.notEqual(await reached, "failed");
    if (moment === "running") await pause(Math.random() * 1000);
  }

  async #status(): Promise<MigrationStatus> {
    return (await this.#guest.qmp.execute("query-migrate")) as MigrationStatus;
  }
}

interface MigrationStatus {
  status: string;
  downtime?: number;
  "total-time"?: number;
}

/** Position of random bytes that no load changes, on each disk, in MiB. */
const randomAt = 32;
const randomMiB = 16;

function longestWriteOf(report: string): number {
  // Warnings come before the report.
  const { jobs } = JSON.parse(report.slice(report.indexOf("{")));
  return jobs[0].write.clat_ns.max / 1e6;
}
