import { LabError } from "../errors.ts";
import { type Disk, diskOptions, type Options } from "./disk.ts";
import { commaEscape, keyValues, shellQuote } from "./escape.ts";
import type { VmSettings } from "./settings.ts";

/** How the guest boots: a kernel given to QEMU, or firmware and the disk's boot loader. */
export type Boot =
  | { from: "kernel"; kernel: string; initramfs?: string; commandLine: string }
  | { from: "disk" };

export type Accelerator = "kvm" | "tcg";

/** The guest's network card, if any. */
export type Network =
  /** User mode network; ports of the host's loopback are forwarded to the guest. */
  | { type: "user"; forwards: { hostPort: number; guestPort: number }[] }
  /** An existing tap device; the address (`192.0.2.2/24`) and the gateway are the guest's. */
  | { type: "tap"; device: string; mac?: string; address?: string; gateway?: string };

/** The inputs of a QEMU command line. Relative paths are relative to QEMU's working directory. */
export interface QemuPlan {
  name: string;
  settings: VmSettings;
  /** A data disk for a guest that boots from a kernel, otherwise the root disk. */
  disk: Disk;
  /** Further disks, such as a cloud-init seed, in the simplest form: `-drive if=virtio`. */
  moreDisks?: Extract<Disk, { type: "file" }>[];
  boot: Boot;
  accelerator: Accelerator;
  /** Undefined: the newest. */
  qemuVersion?: string;
  cpus: number;
  memoryMiB: number;
  /** Bytes of memory that may be hot-plugged. */
  pluggableMemoryMiB?: number;
  network?: Network;
  /** QEMU's root directory; default: this host. */
  root?: string;
  /** Path of the allocator's library; required unless the settings name libc. */
  allocatorLibrary?: string;
  /** Allow hot-plugged disks, for which q35 needs a port. */
  hotPlug?: boolean;
}

/** A command line. */
export interface QemuCommand {
  /** The program's root directory; default: this host. */
  root?: string;
  /** Additional environment variables. */
  env: Record<string, string>;
  program: string;
  /** Options, each with its value. */
  options: Options;
}

/** Names of a VM's files, relative to QEMU's working directory. */
export const vmFiles = { qmp: "qmp.sock", agent: "agent.sock", shell: "shell.sock", console: "console.log" };

export const qemuProgram = "qemu-system-x86_64";

/** The bus of a q35 machine for hot-plugged disks. */
export const hotPlugBus = "hotplug0";

/** The virtio-serial port of the small guest's agent. */
export const agentPort = "siphon.agent";

/** The command line of a VM; throws SIPHON_USAGE for settings that cannot be combined. */
export function qemuCommand(plan: QemuPlan): QemuCommand {
  const { name, settings, accelerator, cpus } = plan;
  return {
    ...(plan.root !== undefined && { root: plan.root }),
    env: environment(plan),
    program: qemuProgram,
    options: [
      ["-name", `${commaEscape(name)},debug-threads=on`],
      ["-nodefaults"],
      ["-no-user-config"],
      ["-display", "none"],
      ["-no-reboot"],
      ["-M", settings.machine],
      ["-accel", accelerator === "tcg" ? "tcg,thread=multi" : "kvm"],
      // A model that TCG can emulate, with which kernels keep the TSC as their clock.
      ["-cpu", accelerator === "tcg" ? "Nehalem" : "host"],
      ["-m", memorySize(plan)],
      ["-smp", `${cpus},sockets=1,cores=${cpus},threads=1`],
      ...guestMemory(plan),
      ...bootOptions(plan.boot),
      ...diskOptions(settings, plan.disk, plan.qemuVersion),
      ...(plan.moreDisks ?? []).map(plainDrive),
      ...hotPlugPort(plan),
      ...networkOptions(plan.network),
      ...channels,
    ],
  };
}

/** The command for a POSIX shell, for copying: environment first, one option per line. */
export function renderCommand({ root, env, program, options }: QemuCommand): string {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${shellQuote(value)}`);
  const lines = options.map((option) => `  ${option.map(shellQuote).join(" ")}`);
  // Variables and the program are on one logical line: a variable on its own line would not be exported. In a root the
  // loader's variables apply only to the program.
  const inRoot = root === undefined ? [] : [`siphon root run ${shellQuote(root)} -- env`];
  return [...inRoot, ...variables, program, ...lines].join(" \\\n");
}

/** The parameters of every directly booted guest kernel. */
export function kernelParameters(accelerator: Accelerator): string[] {
  return [
    "console=ttyS0",
    "loglevel=3",
    "panic=-1",
    "mitigations=off",
    // The kernel would test its ciphers at boot, which takes an emulated guest half a second.
    "cryptomgr.notests",
    ...(accelerator === "tcg" ? emulatedTime : []),
  ];
}

/**
 * Under emulation the kernel would judge the TSC unstable and fall back to the much slower hpet. On a busy host timer
 * ticks may be so late that a kernel that checks them panics.
 */
const emulatedTime = ["tsc=reliable", "clocksource=tsc", "no_timer_check"];

function environment({ settings, allocatorLibrary }: QemuPlan): Record<string, string> {
  const env: Record<string, string> = {};
  if (settings.moduleDir) env.QEMU_MODULE_DIR = settings.moduleDir;
  if (settings.librbdDir) env.LD_LIBRARY_PATH = settings.librbdDir;
  if (settings.allocator !== "libc") {
    if (!allocatorLibrary) {
      throw new LabError("SIPHON_USAGE", `the library of ${settings.allocator} was not named`);
    }
    env.LD_PRELOAD = allocatorLibrary;
  }
  return env;
}

function memorySize({ memoryMiB, pluggableMemoryMiB }: QemuPlan): string {
  if (pluggableMemoryMiB === undefined) return String(memoryMiB);
  return keyValues(String(memoryMiB), { slots: "4", maxmem: `${memoryMiB + pluggableMemoryMiB}M` });
}

/** A vhost-user daemon maps the guest's memory, so it must be shared; huge pages are allocated in advance. */
function guestMemory({ disk, memoryMiB, settings }: QemuPlan): Options {
  const shared = disk.type === "vhost-user";
  if (!shared && !settings.hugePages) return [];
  const memory = {
    id: "mem",
    size: `${memoryMiB}M`,
    ...(shared && { share: "on" }),
    ...(settings.hugePages && { hugetlb: "on", prealloc: "on" }),
  };
  return [
    ["-object", keyValues("memory-backend-memfd", memory)],
    ["-numa", "node,memdev=mem"],
  ];
}

function bootOptions(boot: Boot): Options {
  if (boot.from === "disk") return [];
  return [
    ["-kernel", boot.kernel],
    ...(boot.initramfs ? [["-initrd", boot.initramfs]] : []),
    ["-append", boot.commandLine],
  ];
}

function plainDrive(disk: Extract<Disk, { type: "file" }>): string[] {
  const readonly = disk.readOnly ? "on" : undefined;
  return ["-drive", keyValues(`format=${disk.format}`, { if: "virtio", readonly, file: disk.path })];
}

function hotPlugPort({ hotPlug, settings }: QemuPlan): Options {
  return hotPlug && settings.machine === "q35"
    ? [["-device", `pcie-root-port,id=${hotPlugBus},chassis=1`]]
    : [];
}

function networkOptions(network: Network | undefined): Options {
  if (!network) return [];
  const device = { netdev: "net0", mac: network.type === "tap" ? network.mac : undefined };
  return [
    ["-netdev", netdev(network)],
    ["-device", keyValues("virtio-net-pci", device)],
  ];
}

function netdev(network: Network): string {
  if (network.type === "tap") {
    return keyValues("tap", { id: "net0", ifname: network.device, script: "no", downscript: "no" });
  }
  const forwards = network.forwards.map(
    ({ hostPort, guestPort }) => `hostfwd=tcp:127.0.0.1:${hostPort}-:${guestPort}`,
  );
  return ["user", "id=net0", ...forwards].join(",");
}

/** QMP for control, the agent's port for commands, a shell on hvc0, the kernel's console in a file. */
const channels: Options = [
  ["-qmp", `unix:${vmFiles.qmp},server=on,wait=off`],
  ["-serial", `file:${vmFiles.console}`],
  ["-device", "virtio-serial-pci"],
  ["-chardev", `socket,id=agent,path=${vmFiles.agent},server=on,wait=off`],
  ["-device", `virtserialport,chardev=agent,name=${agentPort}`],
  ["-chardev", `socket,id=shell,path=${vmFiles.shell},server=on,wait=off`],
  ["-device", "virtconsole,chardev=shell"],
];
