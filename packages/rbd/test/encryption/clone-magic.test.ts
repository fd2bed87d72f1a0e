import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "@siphon/wire";
import { asLuks, isCloneHeader, markAsClone, restoredMagics } from "../../src/encryption/clone-magic.ts";
import { formatEncrypted, openEncrypted } from "../../src/encryption/encryption.ts";
import { EncryptionError } from "../../src/encryption/encryption-error.ts";
import type { KeyDerivation } from "../../src/encryption/key-derivation.ts";
import { readLuks } from "../../src/encryption/luks.ts";
import { readBytes, writeBytes } from "../../src/io/image-operations.ts";
import { MemoryDisk } from "../support/memory-disk.ts";

const derivation: KeyDerivation = { type: "pbkdf2", hash: "sha256", iterations: 1000 };

for (const version of [1, 2] as const) {
  test(`the header of an encrypted clone opens as one of a clone only: LUKS${version}`, async () => {
    const disk = await clone(version);
    const read = (offset: number, length: number) => readBytes(disk, offset, length);
    assert.equal((await read(0, 6)).toString("latin1"), "RBDL\xba\xbe");
    if (version === 2) assert.equal((await read(0x4000, 6)).toString("latin1"), "LDBR\xba\xbe");
    assert.equal((await readLuks(read, { isClone: true })).version, version);
    await assert.rejects(
      readLuks(read),
      (error) => error instanceof EncryptionError && /no parent/.test(error.message),
    );
  });

  test(`the header of a clone that has lost its parent becomes one of LUKS${version} again`, async () => {
    const disk = await clone(version);
    const read = (offset: number, length: number) => readBytes(disk, offset, length);
    const restored = await asLuks(read)(0, 0x8000);
    const magics = await restoredMagics(read);
    assert.equal(magics.length, version);
    assert.equal(magics.at(-1)!.at, 0, "the first header is the last that is changed");
    for (const { at, magic } of magics) await writeBytes(disk, at, magic);
    assert.deepEqual(await read(0, 0x8000), restored);
    assert.deepEqual(await restoredMagics(read), []);
    await openEncrypted(disk, passphrase());
  });
}

test("the second header is a clone's where a larger first header ends, too", async () => {
  const header = Buffer.alloc(0x20000);
  header.write("LUKS\xba\xbe\0\x02", "latin1");
  header.writeBigUInt64BE(0x10000n, 8);
  header.write("SKUL\xba\xbe\0\x02", 0x10000, "latin1");
  const before = Buffer.from(header);
  markAsClone(header);
  assert.ok(isCloneHeader(header));
  assert.equal(header.toString("latin1", 0x10000, 0x10006), "LDBR\xba\xbe");
  const read = asLuks(async (offset, length) => header.subarray(offset, offset + length));
  assert.deepEqual(await read(0, header.length), before);
  assert.deepEqual(await read(0x10000, 4096), before.subarray(0x10000, 0x11000));
});

async function clone(version: 1 | 2): Promise<MemoryDisk> {
  const alignment = 4 * 1024 * 1024;
  const disk = new MemoryDisk(20 * alignment);
  const options = { version, alignment, derivation, digestIterations: 1000, isClone: true };
  await formatEncrypted(disk, passphrase(), options);
  return disk;
}

function passphrase(): Secret {
  return new Secret(Buffer.from("right"));
}
