import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Secret } from "@siphon/wire";
import { formatEncrypted, openEncrypted } from "../../src/encryption/encryption.ts";
import { EncryptionError, type EncryptionErrorCode } from "../../src/encryption/encryption-error.ts";
import type { KeyDerivation } from "../../src/encryption/key-derivation.ts";
import { readBytes, writeBytes } from "../../src/io/image-operations.ts";
import { MemoryDisk } from "../support/memory-disk.ts";

const alignment = 1024 * 1024;
const cheap: Record<1 | 2, KeyDerivation> = {
  1: { type: "pbkdf2", hash: "sha256", iterations: 1000 },
  2: { type: "argon2id", time: 4, memory: 32, cpus: 2 },
};

for (const version of [1, 2] as const) {
  test(`LUKS${version}: what is written is there when the image is opened again, and only with the passphrase`, async () => {
    const disk = await formatted(version);
    await writeBytes(await openEncrypted(disk, passphrase("right")), 1000, Buffer.from("kept"));
    assert.equal(disk.bytes.includes("kept"), false);
    const again = await openEncrypted(disk, passphrase("right"));
    assert.equal((await readBytes(again, 1000, 4)).toString(), "kept");
    await refused(openEncrypted(disk, passphrase("wrong")), "SIPHON_ENCRYPTION_PASSPHRASE");
  });

  test(`LUKS${version}: a header with a byte changed is refused, or opens`, async () => {
    const disk = await formatted(version);
    const original = Buffer.from(disk.bytes);
    // Steps that pass over the counts of iterations, which could make the test take hours.
    const [headerEnd, step] = version === 1 ? [592, 7] : [4096 + 1200, 41];
    for (let at = 0; at < headerEnd; at += step) {
      original.copy(disk.bytes);
      disk.bytes[at]! ^= 0xff;
      // The second header of LUKS2 would repair the first.
      if (version === 2) disk.bytes[16384 + 5000]! ^= 0xff;
      try {
        await openEncrypted(disk, passphrase("right"));
      } catch (error) {
        assert.ok(error instanceof EncryptionError, `byte ${at}: ${error}`);
      }
    }
  });
}

test("an image without a header is told from one whose header is damaged", async () => {
  const disk = new MemoryDisk(4 * alignment);
  await refused(openEncrypted(disk, passphrase("right")), "SIPHON_ENCRYPTION_ABSENT");
  disk.bytes.write("LUKS\xba\xbe\0\x02", "latin1");
  await refused(openEncrypted(disk, passphrase("right")), "SIPHON_ENCRYPTION_MALFORMED");
  await refused(openEncrypted(new MemoryDisk(100), passphrase("right")), "SIPHON_ENCRYPTION_ABSENT");
});

test("an image that has no room for data is refused, and left as it is", async () => {
  const disk = new MemoryDisk(16 * alignment);
  await refused(format(disk, 2), "SIPHON_ENCRYPTION_SPACE");
  assert.equal(disk.writes, 0);
});

test("a secret shows nowhere and is wiped after its use", () => {
  const bytes = Buffer.from("hunter2");
  {
    using secret = new Secret(bytes);
    assert.doesNotMatch(inspect(secret) + JSON.stringify(secret) + String(secret), /hunter|68 75/);
  }
  assert.deepEqual(bytes, Buffer.alloc(7));
});

async function formatted(version: 1 | 2): Promise<MemoryDisk> {
  const disk = new MemoryDisk(20 * alignment);
  await format(disk, version);
  return disk;
}

function format(disk: MemoryDisk, version: 1 | 2) {
  const options = { version, alignment, derivation: cheap[version], digestIterations: 1000 };
  return formatEncrypted(disk, passphrase("right"), options);
}

function passphrase(text: string): Secret {
  return new Secret(Buffer.from(text));
}

async function refused(promise: Promise<unknown>, code: EncryptionErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => error instanceof EncryptionError && error.code === code);
}
