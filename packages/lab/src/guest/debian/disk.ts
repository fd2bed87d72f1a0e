import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { GuestImageFiles } from "../image-files.ts";
import { emptyMbr, mbrSector, writeMbr } from "../partition/mbr.ts";
import { ROOT_LABEL } from "./recipe.ts";
import { type Privilege, stageAsRoot } from "./root-file-system.ts";
import { type StageOptions, stage } from "./stage.ts";

/** Bytes before the only partition: room for GRUB, and the usual alignment. */
const PARTITION_START = 1024 * 1024;

/**
 * Turns the tar file of a root file system into a bootable qcow2 image of `size` bytes, with kernel and initramfs
 * beside it. Nothing is mounted: mke2fs fills the file system while creating it, and GRUB's two images are written
 * where its installer would put them (boot.img is the boot sector, which loads core.img from the following sectors).
 */
export async function makeDisk(
  tarFile: string,
  files: GuestImageFiles,
  { size, privilege, ...options }: StageOptions & { size: number; privilege: Privilege },
): Promise<void> {
  const directory = dirname(files.disk);
  const raw = join(directory, "disk.raw");
  const blocks = Math.floor((size - PARTITION_START) / 4096);
  const values = [directory, tarFile, raw, PARTITION_START, blocks].map(String);
  await stageAsRoot(privilege, FILL, values, options);
  await writeBootSectors(raw, directory, size);
  await stage("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, files.disk], options);
  await rm(raw);
  await rename(join(directory, "vmlinuz"), files.kernel);
  await rename(join(directory, "initrd.img"), files.initrd);
}

/** $1 directory, $2 tar file, $3 disk, $4 first byte of the file system, $5 its size in blocks of 4096 bytes. */
const FILL = `
set -eu
umask 022
trap 'rm -rf "$1/root"' EXIT
trap 'exit 143' TERM INT HUP
mkdir "$1/root"
tar -C "$1/root" --exclude='./dev/*' --numeric-owner -xpf "$2"
rm "$2"
cp -L "$1/root/vmlinuz" "$1/root/initrd.img" "$1/root/boot/grub/boot.img" "$1/root/boot/grub/core.img" "$1"
mkfs.ext4 -q -F -b 4096 -m 0 -L ${ROOT_LABEL} -J size=16 \\
  -E offset="$4",lazy_itable_init=0,lazy_journal_init=0 -d "$1/root" "$3" "$5"
`;

async function writeBootSectors(raw: string, directory: string, size: number): Promise<void> {
  const boot = join(directory, "boot.img");
  const core = join(directory, "core.img");
  await using disk = await open(raw, "r+");
  await disk.truncate(size);
  const bootCode = await readAndRemove(boot);
  const mbr = emptyMbr(bootCode);
  const start = PARTITION_START / mbrSector;
  mbr.partitions[0] = { type: 0x83, active: true, start, sectors: Math.floor(size / mbrSector) - start };
  await disk.write(writeMbr(mbr), 0, mbrSector, 0);
  const image = await readAndRemove(core);
  if (mbrSector + image.length > PARTITION_START)
    throw new Error(`GRUB's core image has ${image.length} bytes`);
  await disk.write(image, 0, image.length, mbrSector);
  await disk.sync();
}

async function readAndRemove(path: string): Promise<Buffer> {
  await using file = await open(path, "r");
  const content = await file.readFile();
  await rm(path);
  return content;
}
