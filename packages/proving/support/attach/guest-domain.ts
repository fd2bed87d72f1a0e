import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { type GuestControl, qemuDefaults, smallGuest } from "@siphon/lab";

/**
 * A libvirt domain of type qemu with these disks, that boots the small guest.
 *
 * @param directory directory of libvirt's user for the VM's files
 * @param seenAs libvirt's path of the directory
 */
export async function guestDomain(
  directory: string,
  disks: readonly string[],
  { seenAs = directory, metadata = "" }: { seenAs?: string; metadata?: string } = {},
): Promise<string> {
  const guest = await smallGuest();
  const settings = { ...qemuDefaults, device: "virtio-blk" } as const;
  const boot = guest.boot({ accelerator: "tcg", settings, parameters: [] });
  assert.ok(boot.from === "kernel" && boot.initramfs);
  // libvirt changes the owner of these files to its user.
  copyFileSync(boot.kernel, join(directory, "kernel"));
  copyFileSync(boot.initramfs, join(directory, "initramfs"));
  return `<domain type='qemu'>
  <name>siphon</name>
  ${metadata === "" ? "" : `<metadata>${metadata}</metadata>`}
  <memory unit='MiB'>512</memory>
  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>
  <vcpu>2</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>${join(seenAs, "kernel")}</kernel>
    <initrd>${join(seenAs, "initramfs")}</initrd>
    <cmdline>${boot.commandLine}</cmdline>
  </os>
  <cpu mode='custom' check='none'><model>Nehalem</model></cpu>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    ${disks.join("\n")}
    <channel type='unix'>
      <source mode='bind' path='${agentSocketIn(seenAs)}'/>
      <target type='virtio' name='siphon.agent'/>
    </channel>
    <serial type='file'><source path='${join(seenAs, "console.log")}'/></serial>
    <memballoon model='none'/>
  </devices>
</domain>`;
}

/** The guest of that domain, once it is up. */
export async function enterGuest(directory: string): Promise<GuestControl> {
  const guest = await smallGuest();
  const agentSocket = agentSocketIn(directory);
  return guest.connect({ agentSocket, timeoutMs: 120_000, qemuEnded: new Promise(() => {}) });
}

function agentSocketIn(directory: string): string {
  return join(directory, "agent.sock");
}
