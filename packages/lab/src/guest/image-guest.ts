import { dirname, resolve } from "node:path";
import { freePorts } from "../cluster/ports.ts";
import { LabError } from "../errors.ts";
import { which } from "../host/command.ts";
import { imageFile } from "../image/import.ts";
import { type Boot, kernelParameters, type Network, type QemuPlan } from "../vm/arguments.ts";
import { findSeed, isoPrograms } from "./cloud-init/seed.ts";
import type { GuestControl } from "./control.ts";
import { ROOT_PARAMETERS } from "./debian/recipe.ts";
import type { BootCircumstances, Guest, GuestAccess } from "./guest.ts";
import { bootsDirectly, guestImageFiles } from "./image-files.ts";
import { ensurePrograms } from "./ssh/carry-in.ts";
import { sshArguments } from "./ssh/connection.ts";
import { keyPair } from "./ssh/key-pair.ts";
import { SshControl } from "./ssh/ssh-control.ts";
import { sysprepImage } from "./sysprep.ts";

/** How a guest gets siphon's key: from a cloud-init seed, by virt-sysprep, or it already has it. */
export type LetIn = "cloud-init" | "virt-sysprep" | "key";

/** A guest in its own disk image. */
export interface ImageGuest extends Guest {
  /** The file to import into RBD: the image itself, or an overlay with siphon's key. */
  diskFile(signal?: AbortSignal): Promise<string>;
  /** Equipment of its VM besides that disk; its port is different each time. */
  equipment(): Promise<GuestEquipment>;
}

/** Options for `Vm.start`; see `VmOptions`. */
export interface GuestEquipment {
  network: Network;
  moreDisks: NonNullable<QemuPlan["moreDisks"]>;
  /** Milliseconds. */
  bootTimeoutMs: number;
}

/** Emulated on a busy machine, a cloud image takes minutes to boot for the first time. */
const BOOT_MS = 600_000;
const SSH_PORT = 22;
/** Ends when the boot is complete; failed units of the image are ignored. */
const BOOT_FINISHED =
  "! command -v cloud-init || cloud-init status --wait; systemctl is-system-running --wait";

/**
 * The guest in a disk image, as in the study: it boots from its disk and is controlled over ssh. QEMU boots the kernel
 * of an image from `siphon image build-guest` directly, which is faster and allows parameters for an emulated CPU.
 * Other images get the key from cloud-init if this host can write a seed, otherwise from virt-sysprep, unless an option
 * chooses.
 */
export async function imageGuest(path: string, { letIn }: { letIn?: LetIn } = {}): Promise<ImageGuest> {
  // QEMU runs in another directory.
  const file = resolve(path);
  const { privateKey, publicKey } = await keyPair();
  const files = guestImageFiles(file);
  const direct = bootsDirectly(files);
  const way = letIn ?? (direct ? "key" : await wayIn());
  return {
    description: [
      { name: "image", value: file },
      { name: "boot", value: direct ? "its own kernel, loaded by QEMU" : "its boot loader, from its disk" },
      { name: "control", value: `ssh through QEMU's user networking (${wayNames[way]})` },
    ],
    details: { kind: "image", file },
    leastMemoryMiB: 256,
    async diskFile(signal) {
      if (way !== "virt-sysprep") return file;
      const { format } = await imageFile(file);
      return sysprepImage(file, { format, publicKey, signal });
    },
    async equipment() {
      const [hostPort] = await freePorts(1);
      return {
        network: { type: "user", forwards: [{ hostPort, guestPort: SSH_PORT }] },
        moreDisks: way === "cloud-init" ? [await seedDisk(publicKey)] : [],
        bootTimeoutMs: BOOT_MS,
      };
    },
    boot({ accelerator, parameters }: BootCircumstances): Boot {
      if (!direct) return { from: "disk" };
      const commandLine = [ROOT_PARAMETERS, ...kernelParameters(accelerator), ...parameters].join(" ");
      return { from: "kernel", kernel: files.kernel, initramfs: files.initrd, commandLine };
    },
    shell({ directory, network }) {
      const args = [...sshArguments({ port: forwardedPort(network), privateKey }), "127.0.0.1"];
      return { type: "program", command: "ssh", args, cwd: directory };
    },
    async connect({
      agentSocket,
      network,
      timeoutMs,
      signal,
      qemuEnded,
    }: GuestAccess): Promise<GuestControl> {
      const target = { port: forwardedPort(network), privateKey, directory: dirname(agentSocket) };
      const refusalIsFinal = way !== "cloud-init";
      const control = await SshControl.connect({ ...target, timeoutMs, refusalIsFinal, signal, qemuEnded });
      try {
        // The boot, above all cloud-init, must be complete before measurements.
        await control.run(BOOT_FINISHED, { timeoutMs, signal });
        await ensurePrograms(control, signal);
        return control;
      } catch (error) {
        await control[Symbol.asyncDispose]();
        throw error;
      }
    },
  };
}

const wayNames: Record<LetIn, string> = {
  "cloud-init": "key from a cloud-init seed",
  "virt-sysprep": "key put in by virt-sysprep",
  key: "it holds siphon's key",
};

async function wayIn(): Promise<LetIn> {
  for (const [program] of isoPrograms) {
    if (await which(program)) return "cloud-init";
  }
  if (await which("virt-sysprep")) return "virt-sysprep";
  throw new LabError("SIPHON_MISSING_PROGRAM", "nothing here can put an ssh key into a guest image", {
    hint: "apt-get install genisoimage (or: dnf install xorriso; pacman -S libisoburn), or virt-sysprep",
  });
}

async function seedDisk(
  publicKey: string,
): Promise<{ type: "file"; path: string; format: "raw"; readOnly: true }> {
  return { type: "file", path: await findSeed(publicKey), format: "raw", readOnly: true };
}

function forwardedPort(network: GuestAccess["network"]): number {
  const forwards = network?.type === "user" ? network.forwards : [];
  const forward = forwards.find(({ guestPort }) => guestPort === SSH_PORT);
  if (forward) return forward.hostPort;
  throw new LabError("SIPHON_USAGE", "the VM forwards no port to the guest's ssh server", {
    hint: "give it a user network that forwards a free port to port 22",
  });
}
