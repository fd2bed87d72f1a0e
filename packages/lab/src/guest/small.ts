import { createHash } from "node:crypto";
import { readFile, realpath, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LabError } from "../errors.ts";
import { run } from "../host/command.ts";
import { cached } from "../state/cache.ts";
import { kernelParameters, type Network, vmFiles } from "../vm/arguments.ts";
import { guestDiskName } from "../vm/disk.ts";
import { AgentControl } from "./agent.ts";
import { type CpioEntry, cpio } from "./cpio.ts";
import type { Guest } from "./guest.ts";
import { agentScript, initScript } from "./init.ts";
import { type GuestKernel, guestKernel } from "./kernel.ts";
import { moduleTree } from "./modules.ts";
import { hostProgram, type Program, staticBusybox, versionOf } from "./programs.ts";
import { extractVmlinux } from "./vmlinux.ts";

/**
 * The small guest: a packaged kernel, busybox, fio and mkfs.xfs of this host, booted by QEMU without firmware or root disk; built
 * into the cache at the first use.
 *
 * The initramfs is not compressed: Debian's fio brings 85 MB of libraries (Ceph's, ICU's), which an emulated guest
 * copies in some tenths of a second, but would take seconds to decompress.
 *
 * @throws LabError if something is missing
 */
export async function smallGuest(signal?: AbortSignal): Promise<Guest> {
  const kernel = await guestKernel(signal);
  const programs = await Promise.all(programNames.map(hostProgram));
  const busybox = await staticBusybox();
  const key = await hashOf(kernel, [busybox, ...programs.flatMap((each) => each.files)]);
  const directory = await cached("small-guests", key, (dir) => build(dir, kernel, busybox, programs));
  const manifest = JSON.parse(await readFile(join(directory, "guest.json"), "utf8")) as Manifest;
  return {
    description: manifest.description,
    details: { kind: "small" },
    // During unpacking, the initramfs is in memory twice.
    leastMemoryMiB: 384,
    boot: ({ accelerator, settings, network, parameters }) => ({
      from: "kernel",
      kernel: manifest.image === "vmlinux" ? join(directory, "vmlinux") : kernel.bzImage,
      initramfs: join(directory, "initramfs.cpio"),
      commandLine: [
        ...kernelParameters(accelerator),
        `siphon.disk=${guestDiskName(settings)}`,
        ...addressParameters(network),
        ...parameters,
      ].join(" "),
    }),
    shell: ({ directory }) => ({ type: "socket", path: join(directory, vmFiles.shell) }),
    connect: ({ agentSocket, ...rest }) => AgentControl.connect({ socket: agentSocket, ...rest }),
  };
}

/** QEMU's user mode network is always the same; DHCP would take longer. */
function addressParameters(network: Network | undefined): string[] {
  if (network?.type === "user") return ["siphon.address=10.0.2.15/24", "siphon.gateway=10.0.2.2"];
  if (!network?.address) return [];
  const gateway = network.gateway ? [`siphon.gateway=${network.gateway}`] : [];
  return [`siphon.address=${network.address}`, ...gateway];
}

interface Manifest {
  image: "vmlinux" | "bzImage";
  description: Guest["description"];
}

/** Increment this when the build changes but its inputs do not. */
const recipe = 3;

const programNames = ["fio", "mkfs.xfs"];

/** Built in with some kernels, modules with others. */
const neededModules = ["virtio_pci", "virtio_blk", "virtio_console"];

const wantedModules = [
  ...["virtio_net", "virtio_scsi", "nvme", "ata_piix", "ahci", "sd_mod", "nbd"],
  ...["xfs", "crc32c_intel", "crc32c_generic"],
  // Kernel RBD; cephx needs cbc(aes), the secure mode gcm(aes), keys of type aes256k authenc(hmac(sha384),cts(cbc(aes))).
  ...["rbd", "libceph", "cbc", "gcm", "ctr", "ghash_generic", "ghash_clmulni_intel", "aesni_intel"],
  ...["authenc", "hmac", "sha512_generic", "cts"],
];

async function hashOf(kernel: GuestKernel, files: string[]): Promise<string> {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([recipe, initScript, agentScript, kernel.bzImage, kernel.version]));
  hash.update(JSON.stringify([programNames, neededModules, wantedModules]));
  for (const file of files) {
    const { size, mtimeMs } = await stat(file);
    hash.update(JSON.stringify([file, await realpath(file), size, mtimeMs]));
  }
  return hash.digest("hex").slice(0, 16);
}

async function build(
  directory: string,
  kernel: GuestKernel,
  busybox: string,
  programs: Program[],
): Promise<void> {
  const entries = [
    ...basics,
    ...(await busyboxEntries(busybox)),
    ...(await fileEntries(programs.flatMap((each) => each.files))),
    ...(await moduleTree(kernel, { needed: neededModules, wanted: wantedModules, busybox })),
  ];
  await writeFile(join(directory, "initramfs.cpio"), cpio(entries));
  const { image, why } = await writeVmlinux(kernel, directory);
  const form = why === undefined ? "unpacked for QEMU" : `booted packed, which takes longer: ${why}`;
  const description = [
    { name: "kernel", value: `Linux ${kernel.version} (${kernel.source}), ${form}` },
    { name: "user space", value: `initramfs with busybox and ${await versionOf(programs[0].path)}` },
  ];
  await writeFile(join(directory, "guest.json"), JSON.stringify({ image, description } satisfies Manifest));
}

const basics: CpioEntry[] = [
  { type: "file", path: "/init", mode: 0o755, data: Buffer.from(initScript) },
  { type: "file", path: "/sbin/agent", mode: 0o755, data: Buffer.from(agentScript) },
  { type: "file", path: "/etc/passwd", data: Buffer.from("root:x:0:0:root:/root:/bin/sh\n") },
  { type: "file", path: "/etc/group", data: Buffer.from("root:x:0:\n") },
  // The kernel opens it for init before any mount.
  { type: "device", path: "/dev/console", major: 5, minor: 1 },
  ...["/proc", "/sys", "/tmp", "/root", "/mnt", "/run"].map((path) => ({ type: "directory" as const, path })),
];

async function busyboxEntries(busybox: string): Promise<CpioEntry[]> {
  const { stdout } = await run(busybox, ["--list"]);
  const applets = stdout.split("\n").filter((name) => name && name !== "busybox");
  return [
    { type: "file", path: "/bin/busybox", mode: 0o755, data: await readFile(busybox) },
    ...applets.map((name) => ({ type: "symlink" as const, path: `/bin/${name}`, target: "/bin/busybox" })),
    // The kernel runs it to load drivers.
    { type: "symlink", path: "/sbin/modprobe", target: "/bin/busybox" },
  ];
}

async function fileEntries(files: string[]): Promise<CpioEntry[]> {
  return Promise.all(
    [...new Set(files)].map(async (path) => ({
      type: "file" as const,
      path,
      mode: 0o755,
      data: await readFile(path),
    })),
  );
}

async function writeVmlinux(
  kernel: GuestKernel,
  directory: string,
): Promise<{ image: Manifest["image"]; why?: string }> {
  try {
    const vmlinux = await extractVmlinux(await readFile(kernel.bzImage));
    await writeFile(join(directory, "vmlinux"), vmlinux);
    return { image: "vmlinux" };
  } catch (error) {
    if (error instanceof LabError) return { image: "bzImage", why: error.message };
    throw error;
  }
}
