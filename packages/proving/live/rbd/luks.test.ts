import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Secret } from "@siphon/wire";
import { EncryptionError } from "../../../rbd/src/encryption/encryption-error.ts";
import type { KeyDerivation } from "../../../rbd/src/encryption/key-derivation.ts";
import { formatLuks, readLuks, unlock } from "../../../rbd/src/encryption/luks.ts";
import type { ReadHeader } from "../../../rbd/src/encryption/luks-volume.ts";
import { SectorCipher } from "../../../rbd/src/encryption/sector-cipher.ts";

const mebibyte = 1024 * 1024;
const directory = mkdtempSync(join(tmpdir(), "siphon-luks-"));
after(() => rmSync(directory, { recursive: true }));
const passphraseFile = join(directory, "passphrase");
writeFileSync(passphraseFile, "correct horse\n");

const cheap: Record<1 | 2, KeyDerivation> = {
  1: { type: "pbkdf2", hash: "sha256", iterations: 1000 },
  2: { type: "argon2id", time: 4, memory: 32, cpus: 2 },
};
const byCryptsetup: { version: 1 | 2; keyBits: number; options: string[] }[] = [
  { version: 1, keyBits: 256, options: ["--hash", "sha256"] },
  { version: 1, keyBits: 512, options: ["--hash", "sha512"] },
  {
    version: 2,
    keyBits: 512,
    options: ["--pbkdf", "argon2id", "--pbkdf-memory", "32", "--sector-size", "4096"],
  },
  {
    version: 2,
    keyBits: 256,
    options: ["--pbkdf", "argon2i", "--pbkdf-memory", "64", "--sector-size", "512"],
  },
  {
    version: 2,
    keyBits: 512,
    options: ["--pbkdf", "pbkdf2", "--hash", "sha1", "--luks2-metadata-size", "64k"],
  },
];

for (const { version, keyBits, options } of byCryptsetup) {
  test(`we open what cryptsetup formats: LUKS${version}, ${keyBits} bits, ${options.join(" ")}`, async () => {
    const path = newImage(`theirs-${version}-${keyBits}-${options.length}`);
    const isPbkdf2 = version === 1 || options.includes("pbkdf2");
    cryptsetup(
      ...["luksFormat", "--type", `luks${version}`, "--key-size", String(keyBits), ...options],
      ...["--pbkdf-force-iterations", isPbkdf2 ? "1000" : "4", "--key-file", passphraseFile, path],
    );
    await using file = await open(path);
    const read = readerOf(file);
    const volume = await readLuks(read);
    assert.equal(volume.version, version);
    assert.equal(volume.keyBytes * 8, keyBits);
    using key = await unlock(volume, read, passphrase("correct horse\n"));
    assert.equal(key.bytes.toString("hex"), keyByCryptsetup(path));
    await assert.rejects(
      unlock(volume, read, passphrase("correct horse")),
      (error) => error instanceof EncryptionError && error.code === "SIPHON_ENCRYPTION_PASSPHRASE",
    );
  });
}

for (const version of [1, 2] as const) {
  for (const keyBits of [128, 256] as const) {
    test(`cryptsetup opens what we format: LUKS${version}, AES-${keyBits}`, async () => {
      const path = newImage(`ours-${version}-${keyBits}`);
      const { header, volume, key } = await formatLuks(passphrase("correct horse\n"), {
        version,
        keyBits,
        alignment: 4 * mebibyte,
        derivation: cheap[version],
        digestIterations: 1000,
      });
      using _ = key;
      await using file = await open(path, "r+");
      await file.write(header, 0, header.length, 0);
      cryptsetup("open", "--test-passphrase", "--key-file", passphraseFile, path);
      assert.equal(key.bytes.toString("hex"), keyByCryptsetup(path));
      const dump = cryptsetup("luksDump", path);
      assert.match(dump, new RegExp(`Version:\\s+${version}\n`));
      assert.match(dump, version === 1 ? /Payload offset:\s+8192\n/ : /offset: 16777216 \[bytes\]/);
      assert.match(dump, new RegExp(`UUID:\\s+${volume.uuid}`));
      assert.match(dump, version === 1 ? /Cipher mode:\s+xts-plain64/ : /sector: 4096 \[bytes\]/);

      const read = readerOf(file);
      const again = await readLuks(read);
      assert.deepEqual(again, volume);
      using unlocked = await unlock(again, read, passphrase("correct horse\n"));
      assert.deepEqual(unlocked.bytes, key.bytes);
      if (version === 2) await opensByTheSecondHeader();

      async function opensByTheSecondHeader(): Promise<void> {
        await file.write(Buffer.alloc(512), 0, 512, 4096);
        using fromSecond = await unlock(await readLuks(read), read, passphrase("correct horse\n"));
        assert.deepEqual(fromSecond.bytes, key.bytes);
        await file.write(Buffer.alloc(512), 0, 512, 16384 + 4096);
        await assert.rejects(readLuks(read), /neither of the two LUKS2 headers/);
      }
    });
  }
}

test("QEMU reads what we encrypt, and we decrypt what QEMU writes", async () => {
  const path = newImage("qemu");
  const { header, volume, key } = await formatLuks(passphrase("correct horse\n"), {
    version: 1,
    alignment: 4 * mebibyte,
    derivation: cheap[1],
    digestIterations: 1000,
  });
  const cipher = new SectorCipher(key.bytes, volume.sectorBytes);
  await using file = await open(path, "r+");
  await file.write(header, 0, header.length, 0);
  const data = Buffer.alloc(8192, 0x5a);
  cipher.encrypt(data, 0, data.length, (mebibyte + 4096) / 512);
  await file.write(data, 0, data.length, volume.dataOffset + mebibyte + 4096);

  const image = `driver=luks,key-secret=pass,file.driver=file,file.filename=${path}`;
  const io = (command: string) =>
    execFileSync("qemu-io", [
      ...["--object", `secret,id=pass,file=${passphraseFile}`],
      ...["--image-opts", image, "-c", command],
    ]).toString();
  assert.match(io(`read -P 0x5a ${mebibyte + 4096} 8192`), /read 8192\/8192/);
  assert.doesNotMatch(io(`read -P 0x5a ${mebibyte + 4096} 8192`), /verification failed/);

  io("write -P 0x77 512 65536");
  const written = Buffer.alloc(65536);
  await file.read(written, 0, written.length, volume.dataOffset + 512);
  cipher.decrypt(written, 0, written.length, 1);
  assert.deepEqual(written, Buffer.alloc(65536, 0x77));
});

function newImage(name: string): string {
  const path = join(directory, name);
  execFileSync("truncate", ["--size", "32M", path]);
  return path;
}

function cryptsetup(...args: string[]): string {
  return execFileSync("cryptsetup", ["--batch-mode", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  }).toString();
}

function keyByCryptsetup(path: string): string {
  const dump = cryptsetup("luksDump", "--dump-volume-key", "--key-file", passphraseFile, path);
  const [, hex] = /MK dump:([\s0-9a-f]+)/.exec(dump) ?? assert.fail(dump);
  return hex!.replaceAll(/\s/g, "");
}

function passphrase(text: string): Secret {
  return new Secret(Buffer.from(text));
}

function readerOf(file: Awaited<ReturnType<typeof open>>): ReadHeader {
  return async (offset, length) => {
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    return bytes.subarray(0, bytesRead);
  };
}
