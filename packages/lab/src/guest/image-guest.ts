import { dirname } from "node:path";
import { LabError } from "../errors.ts";
import { type Boot, kernelParameters } from "../vm/arguments.ts";
import type { GuestControl } from "./control.ts";
import { ROOT_PARAMETERS } from "./debian/recipe.ts";
import type { BootCircumstances, Guest, GuestAccess } from "./guest.ts";
import { bootsDirectly, guestImageFiles } from "./image-files.ts";
import { keyPair } from "./ssh/key-pair.ts";
import { SshControl } from "./ssh/ssh-control.ts";

/** The guest's port that the ssh server listens on; the VM's network must forward to it. */
export const SSH_PORT = 22;

/**
 * The guest in a disk image, the study's way: it boots from its disk and is driven over ssh. One that `siphon
 * image build-guest` made has its kernel beside it, which QEMU then boots directly: quicker, and with the
 * parameters that an emulated CPU wants. The image must hold siphon's key, or take it from a seed.
 */
export async function imageGuest(file: string): Promise<Guest> {
  const { privateKey } = await keyPair();
  const files = guestImageFiles(file);
  const direct = bootsDirectly(files);
  return {
    description: [
      { name: "image", value: file },
      {
        name: "boot",
        value: direct ? "its own kernel, loaded by QEMU" : "firmware and boot loader, from its disk",
      },
      { name: "control", value: "ssh through QEMU's user networking" },
    ],
    details: { kind: "image", file },
    leastMemoryMiB: 256,
    boot({ accelerator, parameters }: BootCircumstances): Boot {
      if (!direct) return { from: "disk" };
      const commandLine = [ROOT_PARAMETERS, ...kernelParameters(accelerator), ...parameters].join(" ");
      return { from: "kernel", kernel: files.kernel, initramfs: files.initrd, commandLine };
    },
    async connect({
      agentSocket,
      network,
      timeoutMs,
      signal,
      qemuEnded,
    }: GuestAccess): Promise<GuestControl> {
      const port = forwardedPort(network);
      const directory = dirname(agentSocket);
      return SshControl.connect({ port, privateKey, directory, timeoutMs, signal, qemuEnded });
    },
  };
}

function forwardedPort(network: GuestAccess["network"]): number {
  const forwards = network?.type === "user" ? network.forwards : [];
  const forward = forwards.find(({ guestPort }) => guestPort === SSH_PORT);
  if (forward) return forward.hostPort;
  throw new LabError("SIPHON_USAGE", "the VM forwards no port to the guest's ssh server", {
    hint: "give it a user network that forwards a free port to port 22",
  });
}
