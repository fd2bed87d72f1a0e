import { randomBytes } from "node:crypto";
import { LabError } from "../errors.ts";
import type { GuestControl, GuestRunOptions } from "../guest/control.ts";
import type { Guest, ShellAccess } from "../guest/guest.ts";
import { knownGuest } from "../guest/known.ts";
import type { RunResult } from "../host/command.ts";
import { host, type Platform } from "../host/platform.ts";
import { type CpuTimes, cpuTimes } from "../host/proc.ts";
import { rootDetails } from "../roots/platform-of.ts";
import { Resource } from "../state/resource.ts";
import { allocatorLibrary } from "./allocator.ts";
import {
  type Accelerator,
  type Network,
  type QemuCommand,
  type QemuPlan,
  qemuCommand,
  vmFiles,
} from "./arguments.ts";
import { hostTscKhz } from "./clock.ts";
import { type Disk, guestDiskName } from "./disk.ts";
import { enterGuest } from "./enter-guest.ts";
import { type PluggedDisk, type PlugSettings, plugDisk } from "./hot-plug.ts";
import { findVmResource, type VmDetails } from "./kept.ts";
import { checkLibrbd } from "./loaded-librbd.ts";
import { Qemu } from "./qemu.ts";
import { qemuVersion } from "./qemu-version.ts";
import type { Qmp } from "./qmp.ts";
import type { VmSettings } from "./settings.ts";
import { bytesInQemu } from "./traffic.ts";

export interface VmOptions {
  /** Default: generated. */
  name?: string;
  guest: Guest;
  settings: VmSettings;
  /** A data disk for a guest with its own root, otherwise the root disk. */
  disk: Disk;
  moreDisks?: QemuPlan["moreDisks"];
  accelerator: Accelerator;
  /** Platform of QEMU; default: this host. */
  qemu?: Platform;
  /** 2 unless told. */
  cpus?: number;
  /** 512 unless told. */
  memoryMiB?: number;
  pluggableMemoryMiB?: QemuPlan["pluggableMemoryMiB"];
  network?: Network;
  hotPlug?: boolean;
  /** The process that serves the disk, if the VM owns it: it ends after QEMU. */
  server?: DiskProcess;
  /** Milliseconds for the guest to answer; by default it may take as long as QEMU makes progress. */
  bootTimeoutMs?: number;
  signal?: AbortSignal;
}

/** The server of a VM's disk. */
export interface DiskProcess extends AsyncDisposable {
  readonly pid: number;
  /** Bytes that it has read and written for the VM so far. */
  bytesDone(): Promise<number>;
}

/** A running VM. Disposing of it ends it and removes its files, unless it was kept. */
export class Vm implements AsyncDisposable {
  readonly command: QemuCommand;
  /** Aborted with the reason when QEMU or the guest ends unexpectedly. */
  readonly failed: AbortSignal;
  /** The guest's name of the disk of `VmOptions.disk`: /dev/vda. */
  readonly device: string;
  readonly #settings: VmSettings;
  readonly #guest: Guest;
  readonly #network: Network | undefined;
  readonly #resource: Resource;
  readonly #qemu: Qemu;
  readonly #server: DiskProcess | undefined;
  readonly #control: GuestControl;
  #ending = false;

  private constructor(
    resource: Resource,
    qemu: Qemu,
    control: GuestControl,
    {
      command,
      settings,
      guest,
      network,
      server,
    }: Pick<VmOptions, "settings" | "guest" | "network" | "server"> & {
      command: QemuCommand;
    },
  ) {
    this.#resource = resource;
    this.#qemu = qemu;
    this.#server = server;
    this.#control = control;
    this.command = command;
    this.#guest = guest;
    this.#network = network;
    this.#settings = settings;
    this.device = `/dev/${guestDiskName(settings)}`;
    const failed = new AbortController();
    this.failed = failed.signal;
    void qemu.ended.then((error) => this.#ending || failed.abort(error));
  }

  /**
   * Starts QEMU and waits until the guest answers. Retries once for an emulated guest, whose boot hangs in very rare
   * cases.
   *
   * @throws LabError SIPHON_VM if QEMU ends or rejects its arguments, SIPHON_GUEST if the guest panics or does not boot
   * in time; then nothing is left running
   */
  static async start(options: VmOptions): Promise<Vm> {
    return Vm.#boot(options).catch((error) => {
      const hung = error instanceof LabError && error.code === "SIPHON_GUEST" && error.retryable;
      if (hung && options.accelerator === "tcg") return Vm.#boot(options);
      throw error;
    });
  }

  static async #boot(options: VmOptions): Promise<Vm> {
    const { name = `vm-${randomBytes(4).toString("hex")}`, guest, settings, network, signal } = options;
    signal?.throwIfAborted();
    const command = await vmCommand({ ...options, name });
    const resource = await Resource.create("vms", name, {
      command,
      settings,
      accelerator: options.accelerator,
      network,
      guest: guest.details,
      ...rootDetails(options.qemu ?? host),
    } satisfies VmDetails);
    try {
      checkSocketPath(resource);
      const qemu = await Qemu.start(resource, command, signal);
      try {
        await resource.note({ qemu: qemu.id });
        checkLibrbd(qemu.id.pid, settings, options.disk);
        const control = await enterGuest(qemu, resource, options);
        await setScheduler(control, settings);
        const { server } = options;
        return new Vm(resource, qemu, control, { command, settings, guest, network, server });
      } catch (error) {
        await qemu.quit();
        throw error;
      }
    } catch (error) {
      await resource.remove();
      throw error;
    }
  }

  /** A kept VM of any process; throws SIPHON_NOT_FOUND if there is none, or it has ended. */
  static async find(name: string, signal?: AbortSignal): Promise<Vm> {
    const resource = await findVmResource(name);
    const { qemu: id, command, settings, network, ...details } = resource.details as VmDetails;
    const qemu = id && (await Qemu.find(resource, id));
    if (!qemu) {
      throw new LabError("SIPHON_NOT_FOUND", `the VM ${name} has ended`, {
        hint: `remove what is left of it with: siphon vm stop ${name}`,
      });
    }
    try {
      const guest = await knownGuest(details.guest);
      const control = await enterGuest(qemu, resource, { guest, network, signal });
      return new Vm(resource, qemu, control, { command, settings, guest, network });
    } catch (error) {
      qemu.disconnect();
      throw error;
    }
  }

  get name(): string {
    return this.#resource.name;
  }

  /** QEMU's pid. */
  get pid(): number {
    return this.#qemu.id.pid;
  }

  /** Pids of all processes of the VM, QEMU's first. */
  get pids(): number[] {
    return [this.pid, ...(this.#server === undefined ? [] : [this.#server.pid])];
  }

  /** How a person logs in to the guest from a terminal. */
  get shell(): ShellAccess {
    return this.#guest.shell({ directory: this.#resource.dir, network: this.#network });
  }

  get qmp(): Qmp {
    return this.#qemu.qmp;
  }

  /** CPU times of the QEMU process by thread: "CPU 0/TCG", "IO iothread0", "msgr-worker-0"... */
  cpu(): CpuTimes {
    const times = cpuTimes(this.pid);
    if (!times) throw this.failed.reason ?? new LabError("SIPHON_VM", `QEMU of VM ${this.name} has ended`);
    return times;
  }

  /** Bytes read and written by the guest so far. */
  async bytesDone(): Promise<number> {
    const atServer = this.#settings.server === "vhost" ? this.#server?.bytesDone() : 0;
    const [inQemu, beside = 0] = await this.#qemu.orWhyEnded(Promise.all([bytesInQemu(this.qmp), atServer]));
    return inQemu + beside;
  }

  /** Stops the VM after the requests in flight of its disks: the guest's clock stops until `resume`. */
  async pause(): Promise<void> {
    await this.#qemu.orWhyEnded(this.qmp.execute("stop"));
  }

  async resume(): Promise<void> {
    await this.#qemu.orWhyEnded(this.qmp.execute("cont"));
  }

  /** Runs a shell command in the guest as root; see `GuestControl.run`. */
  async run(command: string, options?: GuestRunOptions): Promise<RunResult> {
    return this.#qemu.whileRunning(this.#control.run(command, options));
  }

  /** Hot-plugs another disk; a q35 machine must have been started with `hotPlug`. */
  async plug(disk: Disk, settings: PlugSettings): Promise<PluggedDisk> {
    const run = (command: string) => this.run(command);
    return plugDisk({ qmp: this.qmp, machine: this.#settings.machine, run }, disk, settings);
  }

  /** Keeps the VM running after this process; `siphon vm stop` ends it. */
  async keep(): Promise<void> {
    await this.#resource.keep();
  }

  /** Ends the VM like a power failure, and removes its files. */
  async shutdown(): Promise<void> {
    this.#ending = true;
    await this.#control[Symbol.asyncDispose]();
    await this.#qemu.quit();
    await this.#server?.[Symbol.asyncDispose]();
    await this.#resource.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#resource.kept) return this.shutdown();
    this.#ending = true;
    await this.#control[Symbol.asyncDispose]();
    this.#qemu.disconnect();
  }
}

/** The command line of a VM, without starting it. */
export async function vmCommand(options: VmOptions & { name: string }): Promise<QemuCommand> {
  const { guest, settings, accelerator, qemu = host, cpus = 2, memoryMiB = 512, network } = options;
  if (memoryMiB < guest.leastMemoryMiB) {
    throw new LabError("SIPHON_USAGE", `${memoryMiB} MiB are too little memory for the guest`, {
      hint: `give it ${guest.leastMemoryMiB} MiB or more`,
    });
  }
  const { allocator } = settings;
  const library = allocator === "libc" ? undefined : await allocatorLibrary(allocator, qemu);
  if (allocator !== "libc" && !library) {
    throw new LabError("SIPHON_MISSING_PROGRAM", `the library of ${allocator} is not installed`, {
      hint: "npm run setup installs what is missing, or names the packages",
    });
  }
  const parameters = await clockParameters(accelerator);
  const boot = guest.boot({ accelerator, settings, network, parameters });
  // Only disks with a server depend on it.
  const version = options.disk.type === "vhost-user" ? await qemuVersion(qemu) : undefined;
  return qemuCommand({
    ...options,
    ...rootDetails(qemu),
    ...(version !== undefined && { qemuVersion: version }),
    cpus,
    memoryMiB,
    boot,
    allocatorLibrary: library,
  });
}

async function clockParameters(accelerator: Accelerator): Promise<string[]> {
  const khz = accelerator === "tcg" ? await hostTscKhz() : undefined;
  return khz === undefined ? [] : [`tsc_early_khz=${khz}`];
}

/** The scheduler of all disks is none by default, because a kernel's own choice depends on its release. */
async function setScheduler(
  control: GuestControl,
  { guestScheduler, ...settings }: VmSettings,
): Promise<void> {
  if (guestScheduler === undefined) return;
  const file = `/sys/block/${guestDiskName(settings)}/queue/scheduler`;
  const { exitCode, stderr } = await control.run(`echo ${guestScheduler} >${file}`);
  if (exitCode === 0) return;
  throw new LabError("SIPHON_GUEST", `the guest has no scheduler ${guestScheduler}: ${stderr.trim()}`);
}

/** sockaddr_un holds 108 bytes with the closing NUL. */
function checkSocketPath(resource: Resource): void {
  const longest = resource.path(vmFiles.agent);
  if (Buffer.byteLength(longest) < 108) return;
  throw new LabError("SIPHON_USAGE", `the path ${longest} is too long for a socket`, {
    hint: "name a shorter directory with SIPHON_STATE_DIR",
  });
}
