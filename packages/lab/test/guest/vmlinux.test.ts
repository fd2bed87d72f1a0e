import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { LabError } from "../../src/errors.ts";
import { extractVmlinux } from "../../src/guest/vmlinux.ts";

/** A 64-bit ELF file with one program header: a note. */
function elf(noteType = 18): Buffer {
  const file = Buffer.alloc(64 + 56 + 20);
  file.writeUInt32BE(0x7f454c46, 0);
  file.writeBigUInt64LE(64n, 0x20);
  file.writeUInt16LE(56, 0x36);
  file.writeUInt16LE(1, 0x38);
  file.writeUInt32LE(4, 64);
  file.writeBigUInt64LE(120n, 64 + 0x08);
  file.writeBigUInt64LE(20n, 64 + 0x20);
  file.writeUInt32LE(4, 120);
  file.writeUInt32LE(4, 124);
  file.writeUInt32LE(noteType, 128);
  file.write("Xen\0", 132);
  return file;
}

/** A bzImage of two setup sectors around a packed kernel, which starts 16 bytes into the code. */
function bzImage(packed: Buffer, size: number, { version = 0x20f, appendSize = true } = {}): Buffer {
  const sizeField = Buffer.alloc(4);
  sizeField.writeUInt32LE(size);
  const payload = appendSize ? Buffer.concat([packed, sizeField]) : packed;
  const head = Buffer.alloc(3 * 512 + 16);
  head[0x1f1] = 2;
  head.write("HdrS", 0x202);
  head.writeUInt16LE(version, 0x206);
  head.writeUInt32LE(16, 0x248);
  head.writeUInt32LE(payload.length, 0x24c);
  return Buffer.concat([head, payload, Buffer.alloc(100, 0xff)]);
}

function packedBy(command: string, args: string[], input: Buffer): Buffer {
  const { stdout, status } = spawnSync(command, args, { input });
  assert.equal(status, 0);
  return stdout;
}

const kernel = elf();

for (const [name, image] of Object.entries({
  gzip: () => bzImage(gzipSync(kernel), kernel.length, { appendSize: false }),
  zstd: () => bzImage(zstdCompressSync(kernel), kernel.length),
  xz: () => bzImage(packedBy("xz", ["--check=crc32"], kernel), kernel.length),
  "lz4 of the legacy frame format": () => bzImage(packedBy("lz4", ["-l"], kernel), kernel.length),
})) {
  test(`a kernel packed with ${name} is unpacked`, async () => {
    assert.deepEqual(await extractVmlinux(image()), kernel);
  });
}

const refused = (pattern: RegExp) => (error: unknown) =>
  error instanceof LabError && error.code === "SIPHON_GUEST" && pattern.test(error.message);

test("what cannot be booted through the PVH entry is refused, and says why", async () => {
  const other = elf(1);
  const cases: [Buffer, RegExp][] = [
    [Buffer.alloc(1024), /no bzImage/],
    [Buffer.from("short"), /no bzImage/],
    [bzImage(zstdCompressSync(kernel), kernel.length, { version: 0x207 }), /older than 2.08/],
    [bzImage(Buffer.from("unknown format"), 1), /packed in an unknown way/],
    [bzImage(zstdCompressSync(kernel), kernel.length + 1), /size it states/],
    [bzImage(zstdCompressSync(other), other.length), /no PVH entry/],
  ];
  for (const [image, pattern] of cases) await assert.rejects(extractVmlinux(image), refused(pattern));
});
