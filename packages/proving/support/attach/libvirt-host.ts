import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { GuestControl } from "@siphon/lab";
import { findAccount } from "../../../attach/src/server/accounts.ts";
import type { NetworkHost } from "../../../lab/src/network/details.ts";
import { Attachd, attachCommand, placesIn } from "./attachd.ts";
import { enterGuest, guestDomain } from "./guest-domain.ts";
import { Libvirtd } from "./libvirtd.ts";
import { qemu } from "./test-qemu.ts";

const user = "libvirt-qemu";
/** Paths as the host's programs see them; each host has its own /run. */
const vmDirectory = "/run/vm";
const service = placesIn("/run/siphon");

/** A hypervisor: libvirtd with siphon's hook, and siphon's service, in namespaces of their own. */
export class LibvirtHost implements AsyncDisposable {
  readonly #directory: string;
  readonly #address: string;
  readonly #libvirtd: Libvirtd;
  readonly #attachd: Attachd;

  /** @param directory an absent directory */
  static async start(directory: string, network: NetworkHost, conf: string): Promise<LibvirtHost> {
    const hooks = join(directory, "etc/hooks");
    const run = join(directory, "run");
    mkdirSync(hooks, { recursive: true, mode: 0o755 });
    writeFileSync(join(hooks, "qemu"), hook(), { mode: 0o755 });
    const libvirtd = await Libvirtd.start(directory, qemu, network);
    try {
      const files = join(run, "vm");
      mkdirSync(files, { mode: 0o755 });
      const { uid, gids } = (await findAccount(user))!;
      chownSync(files, uid, gids[0]!);
      const attachd = await Attachd.start({
        ...{ directory: join(run, "siphon"), conf, args: ["--socket-user", user] },
        manager: {
          start: ([program, ...args], stdio) => {
            const [command, ...words] = libvirtd.inside([program!, ...args]);
            return spawn(command!, words, { stdio });
          },
        },
      });
      return new LibvirtHost(directory, network.address, libvirtd, attachd);
    } catch (error) {
      await libvirtd[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(directory: string, address: string, libvirtd: Libvirtd, attachd: Attachd) {
    this.#directory = directory;
    this.#address = address;
    this.#libvirtd = libvirtd;
    this.#attachd = attachd;
  }

  /** Starts a domain whose disks, vda over vhost-user-blk and vdb over NBD, the hook attaches. */
  async create({ vhost, nbd }: Record<"vhost" | "nbd", string>): Promise<void> {
    const file = join(this.#directory, "domain.xml");
    const metadata = `<siphon:attach xmlns:siphon='urn:siphon:attach'>
      <siphon:disk name='vhost' target='vda' image='${vhost}' vhost='${socketOf("vhost")}' migratable='yes'/>
      <siphon:disk name='nbd' target='vdb' image='${nbd}' nbd='${socketOf("nbd")}' migratable='yes'/>
    </siphon:attach>`;
    const disks = [
      `<disk type='vhostuser' device='disk'>
        <driver name='qemu' type='raw' queues='2'/>
        <source type='unix' path='${socketOf("vhost")}'><reconnect enabled='yes' timeout='1'/></source>
        <target dev='vda' bus='virtio'/>
      </disk>`,
      `<disk type='network' device='disk'>
        <driver name='qemu' type='raw' cache='none'/>
        <source protocol='nbd' name='${nbd}'><host transport='unix' socket='${socketOf("nbd")}'/></source>
        <target dev='vdb' bus='virtio'/>
      </disk>`,
    ];
    writeFileSync(file, await guestDomain(this.#files, disks, { seenAs: vmDirectory, metadata }));
    await this.#libvirtd.virsh("create", file).catch((cause) => {
      throw new Error(`${cause.message}\n${this.#libvirtd.qemuLog("siphon")}`, { cause });
    });
  }

  /** Copies a domain's kernel and initramfs from the other host. */
  copyFilesFrom(other: LibvirtHost): void {
    for (const name of ["kernel", "initramfs"]) {
      copyFileSync(join(other.#files, name), join(this.#files, name));
      chmodSync(join(this.#files, name), 0o644);
    }
  }

  /** `virsh migrate --live` to another host, started by this one's libvirtd (--p2p) or directed by virsh. */
  async migrateTo(other: LibvirtHost, ...flags: string[]): Promise<void> {
    // A libvirtd only connects to another one in this mode.
    const uri = flags.includes("--p2p")
      ? other.#libvirtd.uri.replace("legacy", "direct")
      : other.#libvirtd.uri;
    const to = [uri, `tcp://${other.#address}`];
    await this.#libvirtd.virsh("migrate", "--live", ...flags, "siphon", ...to).catch((cause) => {
      throw new Error(`${cause.message}\n${this.#libvirtd.log}\n${other.#libvirtd.log}`, { cause });
    });
  }

  /** Starts a migration to another host, and cancels it while memory is sent. */
  async cancelMigrationTo(other: LibvirtHost): Promise<void> {
    const migrated = this.migrateTo(other, "--bandwidth", "1").then(
      () => "completed",
      (error) => String(error),
    );
    const isOver = migrated.then(() => true);
    // Only the part of it in QEMU can be aborted.
    const aborts = () =>
      this.virsh("domjobabort", "siphon").then(
        () => true,
        () => false,
      );
    while (!(await aborts())) {
      if (await Promise.race([isOver, pause(100, false)])) break;
    }
    assert.match(await migrated, /aborted|canceled/);
  }

  enterGuest(): Promise<GuestControl> {
    return enterGuest(this.#files);
  }

  /** Names and states of the service's disks. */
  async disks(): Promise<string[]> {
    const disks = await this.#attachd.ask<{ name: string; state: string }[]>("list");
    return disks.map(({ name, state }) => `${name} ${state}`);
  }

  virsh(...words: string[]): Promise<string> {
    return this.#libvirtd.virsh(...words);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#libvirtd[Symbol.asyncDispose]();
    await this.#attachd.kill();
  }

  get #files(): string {
    return join(this.#directory, vmDirectory);
  }
}

function socketOf(name: string): string {
  return join(service.run, `${name}.sock`);
}

/** The packaged hook, but with the siphon under test. */
function hook(): string {
  const shipped = join(import.meta.dirname, "../../../../packaging/hooks/libvirt");
  const script = readFileSync(shipped, "utf8").replace("/usr/bin/siphon attach", attachCommand().join(" "));
  return `${script.trimEnd()} --control ${service.control}\n`;
}
