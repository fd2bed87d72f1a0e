import { LabError } from "../errors.ts";
import { type Disk, diskOptions, type Options } from "./disk.ts";
import { commaEscape, keyValues, shellQuote } from "./escape.ts";
import type { VmSettings } from "./settings.ts";

/** How the guest comes up: a kernel given to QEMU, or firmware and what it finds on the disk. */
export type Boot =
  | { from: "kernel"; kernel: string; initramfs?: string; commandLine: string }
  | { from: "disk" };

export type Accelerator = "kvm" | "tcg";

/** The guest's network card, if any. */
export type Network =
  /** Reaches out through the host; ports of the host's loopback lead to ports of the guest. */
  | { type: "user"; forwards: { hostPort: number; guestPort: number }[] }
  /** An existing tap device; the address (`192.0.2.2/24`) and the gateway are the guest's. */
  | { type: "tap"; device: string; mac?: string; address?: string; gateway?: string };

/** Everything that decides a QEMU command line. Relative paths are seen from QEMU's working directory. */
export interface QemuPlan {
  name: string;
  settings: VmSettings;
  /** A data disk for a guest that boots from a kernel, else the root disk. */
  disk: Disk;
  /** Further disks, such as a cloud-init seed, in the simplest form: `-drive if=virtio`. */
  moreDisks?: Extract<Disk, { type: "file" }>[];
  boot: Boot;
  accelerator: Accelerator;
  /** The newest where it is not known. */
  qemuVersion?: string;
  cpus: number;
  memoryMiB: number;
  /** So much more memory may be plugged in while the VM runs. */
  pluggableMemoryMiB?: number;
  network?: Network;
  /** The root directory that QEMU is of; this host's own when not given. */
  root?: string;
  /** Path of the allocator's library; needed unless the settings say libc. */
  allocatorLibrary?: string;
  /** Allow disks to be plugged in while the VM runs; q35 needs a port for that. */
  hotPlug?: boolean;
}

/** A program's call. */
export interface QemuCommand {
  /** The root directory that the program is of; this host's own when not given. */
  root?: string;
  /** Variables to set on top of the environment. */
  env: Record<string, string>;
  program: string;
  /** Options, each with its value. */
  options: Options;
}

/** Names of a VM's files, relative to QEMU's working directory. */
export const vmFiles = { qmp: "qmp.sock", agent: "agent.sock", shell: "shell.sock", console: "console.log" };

export const qemuProgram = "qemu-system-x86_64";

/** The bus of a q35 machine that takes a disk while it runs. */
export const hotPlugBus = "hotplug0";

/** The port that the small guest's agent listens on. */
export const agentPort = "siphon.agent";

/** The command line of a VM; throws SIPHON_USAGE for what cannot be combined. */
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
      // Among the models that TCG can emulate, one whose kernels keep the TSC as their clock.
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

/** The command for a reader to copy into a POSIX shell: environment first, one option a line. */
export function renderCommand({ root, env, program, options }: QemuCommand): string {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${shellQuote(value)}`);
  const lines = options.map((option) => `  ${option.map(shellQuote).join(" ")}`);
  // All before the program on one logical line: a variable on a line of its own would not be exported.
  // In a root the loader's variables are for the program alone.
  const inRoot = root === undefined ? [] : [`siphon root run ${shellQuote(root)} -- env`];
  return [...inRoot, ...variables, program, ...lines].join(" \\\n");
}

/** The parameters that every guest kernel gets that we boot directly. */
export function kernelParameters(accelerator: Accelerator): string[] {
  return [
    "console=ttyS0",
    "loglevel=3",
    "panic=-1",
    "mitigations=off",
    ...(accelerator === "tcg" ? emulatedTime : []),
  ];
}

/**
 * Emulated, the TSC is judged unstable, and the guest would fall back to the far slower hpet. On a busy host the
 * timer's ticks may come so late that a kernel which checks for them panics.
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

/** A vhost-user daemon maps the guest's memory, so it must be shared; huge pages must be there before the guest needs them. */
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

/** Life cycle by QMP, commands by the agent's port, a shell on hvc0, the kernel's console in a file. */
const channels: Options = [
  ["-qmp", `unix:${vmFiles.qmp},server=on,wait=off`],
  ["-serial", `file:${vmFiles.console}`],
  ["-device", "virtio-serial-pci"],
  ["-chardev", `socket,id=agent,path=${vmFiles.agent},server=on,wait=off`],
  ["-device", `virtserialport,chardev=agent,name=${agentPort}`],
  ["-chardev", `socket,id=shell,path=${vmFiles.shell},server=on,wait=off`],
  ["-device", "virtconsole,chardev=shell"],
];
