import { spawn } from "node:child_process";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { LabError } from "../errors.ts";
import { notStarted } from "../host/command.ts";

/**
 * The uncompressed kernel (ELF) inside a bzImage. QEMU starts it through its PVH entry, which saves the seconds that an
 * emulated kernel needs to unpack itself.
 *
 * Layout (Documentation/arch/x86/boot.rst in Linux): u8 setup_sects at 0x1f1, "HdrS" at 0x202, u16 version at 0x206, u32
 * payload_offset at 0x248 and u32 payload_length at 0x24c, both counted from the protected-mode code, which starts after
 * setup_sects + 1 sectors. The payload ends with its uncompressed size as u32.
 *
 * @throws LabError if it is not a bzImage, has an unknown compression, or has no PVH entry; then boot the bzImage
 * itself
 */
export async function extractVmlinux(bzImage: Buffer): Promise<Buffer> {
  if (bzImage.length < 0x250 || bzImage.toString("latin1", 0x202, 0x206) !== "HdrS") {
    throw new LabError("SIPHON_GUEST", "the kernel is no bzImage");
  }
  if (bzImage.readUInt16LE(0x206) < 0x208) {
    throw new LabError("SIPHON_GUEST", "the kernel's boot protocol is older than 2.08");
  }
  const start = ((bzImage[0x1f1] || 4) + 1) * 512 + bzImage.readUInt32LE(0x248);
  const payload = bzImage.subarray(start, start + bzImage.readUInt32LE(0x24c));
  const size = payload.readUInt32LE(payload.length - 4);
  const vmlinux = await decompress(payload);
  if (vmlinux.length !== size || vmlinux.readUInt32BE(0) !== 0x7f454c46) {
    throw new LabError("SIPHON_GUEST", "the kernel does not unpack to an ELF file of the size it states");
  }
  if (!hasPvhEntry(vmlinux)) throw new LabError("SIPHON_GUEST", "the kernel has no PVH entry");
  return vmlinux;
}

const formats: { magic: string; unpack: (payload: Buffer) => Buffer | Promise<Buffer> }[] = [
  { magic: "1f8b", unpack: (payload) => gunzipSync(payload) },
  { magic: "28b52ffd", unpack: (payload) => zstdDecompressSync(payload.subarray(0, -4)) },
  { magic: "fd377a585a00", unpack: (payload) => filter("xz", ["-dc"], payload.subarray(0, -4)) },
  { magic: "02214c18", unpack: (payload) => filter("lz4", ["-dc"], payload.subarray(0, -4)) },
];

async function decompress(payload: Buffer): Promise<Buffer> {
  const magic = payload.toString("hex", 0, 8);
  const format = formats.find((each) => magic.startsWith(each.magic));
  if (!format) throw new LabError("SIPHON_GUEST", `the kernel is packed in an unknown way (${magic})`);
  return format.unpack(payload);
}

/** Pipes bytes through a program. */
export async function filter(command: string, args: string[], input: Uint8Array): Promise<Buffer> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"] });
  child.stdin.on("error", () => {}); // it ended early; its exit code gives the reason
  child.stdin.end(input);
  const ended = once(child, "close") as Promise<[number | null]>;
  try {
    const [output, [exitCode]] = await Promise.all([buffer(child.stdout), ended]);
    if (exitCode === 0) return output;
    throw new LabError("SIPHON_PROGRAM_FAILED", `${command} cannot unpack (exit code ${exitCode})`);
  } catch (cause) {
    throw cause instanceof LabError ? cause : notStarted(command, cause);
  }
}

/**
 * Whether an ELF file has the note that QEMU looks for: namesz 4, descsz 4 or 8, type 18
 * (XEN_ELFNOTE_PHYS32_ENTRY), name "Xen".
 */
function hasPvhEntry(elf: Buffer): boolean {
  const [PT_NOTE, PHYS32_ENTRY] = [4, 18];
  const tableOffset = Number(elf.readBigUInt64LE(0x20));
  const entrySize = elf.readUInt16LE(0x36);
  for (let index = 0; index < elf.readUInt16LE(0x38); index++) {
    const header = tableOffset + index * entrySize;
    if (elf.readUInt32LE(header) !== PT_NOTE) continue;
    let at = Number(elf.readBigUInt64LE(header + 0x08));
    const end = at + Number(elf.readBigUInt64LE(header + 0x20));
    while (at + 12 <= end) {
      const nameSize = elf.readUInt32LE(at);
      const name = elf.toString("latin1", at + 12, at + 12 + nameSize);
      if (name === "Xen\0" && elf.readUInt32LE(at + 8) === PHYS32_ENTRY) return true;
      at += 12 + aligned(nameSize) + aligned(elf.readUInt32LE(at + 4));
    }
  }
  return false;
}

function aligned(size: number): number {
  return (size + 3) & ~3;
}
