import { existsSync } from "node:fs";

/** The files of a guest image that siphon built. */
export interface GuestImageFiles {
  /** Path of the bootable disk. */
  disk: string;
  /** Paths of its kernel and its initramfs, for QEMU's `-kernel` and `-initrd`. */
  kernel: string;
  initrd: string;
}

/** Kernel and initramfs of a disk built by siphon: next to it, under its name. */
export function guestImageFiles(disk: string): GuestImageFiles {
  const base = disk.replace(/\.(qcow2|raw|img)$/, "");
  return { disk, kernel: `${base}.vmlinuz`, initrd: `${base}.initrd` };
}

/** Whether the guest of that disk can be booted without its boot loader. */
export function bootsDirectly({ kernel, initrd }: GuestImageFiles): boolean {
  return existsSync(kernel) && existsSync(initrd);
}
