import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Disk, type GuestControl, qemuDefaults, smallGuest, vmCommand } from "@siphon/lab";
import { vmFiles } from "../../../lab/src/vm/arguments.ts";
import { Qmp } from "../../../lab/src/vm/qmp.ts";
import { kill } from "./run.ts";
import { qemu } from "./test-qemu.ts";

export interface MigratingVmOptions {
  /** Directory for sockets and logs. */
  directory: string;
  /** The guest's names of the disks: /dev/vda, /dev/vdb. */
  disks: readonly [Disk, ...Disk[]];
  /** Waits for the guest to come from another QEMU, at this unix socket. */
  incoming?: string;
  /** Does not continue the guest by itself when it has come. */
  waits?: boolean;
}

interface MigrationParameters {
  /** Maximum bytes per second. */
  bandwidth: number;
  /** Maximum milliseconds for which QEMU stops the guest to send the rest of its memory. */
  downtimeLimit?: number | undefined;
  pausesBeforeSwitchover?: boolean;
}

/** QEMU's answer to query-migrate. */
export interface MigrationStatus {
  status?: string;
  downtime?: number;
  "total-time"?: number;
  ram?: { remaining: number; total: number };
}

/** One end of a migration: a QEMU whose guest runs, or which waits for one. */
export class MigratingVm implements AsyncDisposable {
  readonly qmp: Qmp;
  readonly #directory: string;
  readonly #qemu: ChildProcess;
  #control: GuestControl | undefined;

  private constructor(process: ChildProcess, qmp: Qmp, directory: string) {
    this.#qemu = process;
    this.qmp = qmp;
    this.#directory = directory;
  }

  /** Returns once the guest answers, or QEMU waits for it. */
  static async start({
    directory,
    disks,
    incoming,
    waits = false,
  }: MigratingVmOptions): Promise<MigratingVm> {
    const own = await mkdtemp(join(directory, "vm-"));
    const [first, ...more] = disks;
    const { program, env, options } = await vmCommand({
      ...{ name: "migrating", guest: await smallGuest(), accelerator: "tcg", disk: first, qemu },
      settings: { ...qemuDefaults, device: "virtio-blk", syntax: "blockdev", cache: "none", queues: 2 },
      memoryMiB: 384,
    });
    const others = more.flatMap((disk, index) => nbdOptions(disk, `more${index}`));
    const from = incoming === undefined ? [] : ["-incoming", `unix:${incoming}`, ...(waits ? ["-S"] : [])];
    const call = qemu.command(program, [...options.flat(), ...others, ...from], { cwd: own });
    const child = spawn(call.command, call.args, {
      ...{ cwd: own, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...env, ...call.env } },
    });
    try {
      const vm = new MigratingVm(child, await connectQmp(child, join(own, "qmp.sock")), own);
      await vm.qmp.execute("migrate-set-capabilities", {
        capabilities: [{ capability: "events", state: true }],
      });
      if (incoming === undefined) await vm.enter();
      return vm;
    } catch (error) {
      await kill(child);
      throw error;
    }
  }

  /** Runs a command in the guest that must succeed. */
  async run(command: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.#control!.run(command, { timeoutMs: patience });
    if (exitCode !== 0) throw new Error(`${command}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Waits for the guest to answer. */
  async enter(): Promise<void> {
    const ended = once(this.#qemu, "exit").then(async ([code, signal]) => {
      const said = await readFile(join(this.#directory, vmFiles.console), "utf8").catch(() => "");
      return new Error(`QEMU has ended (${signal ?? code}): ${said.slice(-2000)}`) as never;
    });
    this.#control = await (await smallGuest()).connect({
      ...{ agentSocket: join(this.#directory, "agent.sock"), network: undefined, timeoutMs: patience },
      ...{ signal: undefined, qemuEnded: ended },
    });
  }

  async prepareMigration({
    bandwidth,
    downtimeLimit = 2000,
    pausesBeforeSwitchover = false,
  }: MigrationParameters): Promise<void> {
    const capabilities = [{ capability: "pause-before-switchover", state: pausesBeforeSwitchover }];
    await this.qmp.execute("migrate-set-capabilities", { capabilities });
    await this.qmp.execute("migrate-set-parameters", {
      ...{ "max-bandwidth": bandwidth, "downtime-limit": downtimeLimit },
    });
  }

  /** The next change of the migration to one of these states. */
  migrationIs(...states: readonly string[]): Promise<string> {
    return this.qmp
      .nextEvent(({ event, data }) => event === "MIGRATION" && states.includes(String(data.status)))
      .then(({ data }) => String(data.status));
  }

  async migrationStatus(): Promise<MigrationStatus> {
    return (await this.qmp.execute("query-migrate")) as MigrationStatus;
  }

  /** Ends QEMU, which closes its disks, as libvirt does when a guest has left. */
  async quit(): Promise<void> {
    const ended = once(this.#qemu, "exit");
    await this.#control?.[Symbol.asyncDispose]();
    // QEMU may end before it answers.
    await Promise.race([this.qmp.execute("quit").catch(() => {}), ended]);
    await ended;
    this.qmp[Symbol.dispose]();
  }

  /** Ends QEMU by force. */
  async kill(): Promise<void> {
    await this.#control?.[Symbol.asyncDispose]();
    this.qmp[Symbol.dispose]();
    await kill(this.#qemu);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

async function connectQmp(child: ChildProcess, socket: string): Promise<Qmp> {
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error("QEMU ended at once");
    const qmp = await Qmp.connect(socket).catch(() => undefined);
    if (qmp !== undefined) return qmp;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function nbdOptions(disk: Disk, id: string): string[] {
  if (disk.type !== "nbd") throw new Error("a further disk is one over NBD");
  const { socket, export: name = "" } = disk;
  const node = [
    ...["driver=nbd", `node-name=${id}`, "server.type=unix", `server.path=${socket}`, `export=${name}`],
    ...["reconnect-delay=60", "cache.direct=on"],
  ];
  return ["-blockdev", node.join(","), "-device", `virtio-blk-pci,drive=${id},id=${id}-device`];
}

/** Milliseconds until a guest counts as hanging. It has little of a busy machine. */
const patience = 250_000;
