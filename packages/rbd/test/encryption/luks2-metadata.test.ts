import assert from "node:assert/strict";
import { test } from "node:test";
import { EncryptionError, type EncryptionErrorCode } from "../../src/encryption/encryption-error.ts";
import type { LuksVolume } from "../../src/encryption/luks-volume.ts";
import { decodeMetadata, encodeMetadata } from "../../src/encryption/luks2-metadata.ts";

const volume: LuksVolume = {
  version: 2,
  uuid: "c446ed26-dc28-4737-8d14-056a157678e9",
  keyBytes: 64,
  sectorBytes: 4096,
  dataOffset: 16777216,
  firstSector: 0,
  keyslots: [
    {
      id: 0,
      derivation: { type: "argon2id", time: 4, memory: 32, cpus: 2 },
      salt: Buffer.alloc(32, 1),
      offset: 32768,
      stripes: 4000,
      hash: "sha256",
      areaKeyBytes: 64,
    },
  ],
  digest: { hash: "sha256", iterations: 1000, salt: Buffer.alloc(32, 2), digest: Buffer.alloc(32, 3) },
};
const text = encodeMetadata(volume, { jsonBytes: 12288, keyslotsOffset: 32768 });

test("metadata is read as it was written", () => {
  assert.deepEqual(decodeMetadata(text, volume.uuid), volume);
});

test("keyslots are tried by their priority; those to be ignored are not", () => {
  const changed = JSON.parse(text);
  const [slot] = Object.values<object>(changed.keyslots);
  changed.keyslots = { 0: slot, 1: { ...slot, priority: 0 }, 2: { ...slot, priority: 2 }, 3: slot };
  changed.digests[0].keyslots = ["0", "1", "2"];
  const { keyslots } = decodeMetadata(JSON.stringify(changed), volume.uuid);
  assert.deepEqual(
    keyslots.map(({ id }) => id),
    [2, 0],
  );
});

test("what asks for more than is done here is refused", () => {
  refusedWith("SIPHON_ENCRYPTION_UNSUPPORTED", [
    (root) => (root.segments[0].encryption = "serpent-xts-plain64"),
    (root) => (root.segments[1] = root.segments[0]),
    (root) => (root.segments[0].integrity = { type: "hmac(sha256)" }),
    (root) => (root.config.requirements = { mandatory: ["online-reencrypt"] }),
    (root) => (root.keyslots[0].type = "reencrypt"),
    (root) => (root.keyslots[0].kdf.type = "scrypt"),
    (root) => (root.keyslots[0].af.hash = "md5"),
  ]);
});

test("what no program writes is refused before any work is done for it", () => {
  refusedWith("SIPHON_ENCRYPTION_MALFORMED", [
    (root) => delete root.segments,
    (root) => (root.segments = {}),
    (root) => (root.segments[0].offset = "-1"),
    (root) => (root.segments[0].offset = "1e9"),
    (root) => (root.segments[0].sector_size = 513),
    (root) => (root.keyslots[0].af.stripes = 4_000_000_000),
    (root) => (root.keyslots[0].area.offset = "16777216"),
    (root) => (root.keyslots[0].area.offset = "0"),
    (root) => (root.keyslots[0].area.key_size = 7),
    (root) => (root.keyslots[0].kdf.memory = 1_000_000_000),
    (root) => (root.keyslots[0].kdf.time = 0),
    (root) => (root.digests[0].digest = ""),
    (root) => (root.digests[0].iterations = 2 ** 40),
    (root) => (root.digests = []),
    (root) => (root.keyslots = null),
  ]);
  assert.throws(() => decodeMetadata("{", ""), /not JSON/);
});

// biome-ignore lint/suspicious/noExplicitAny: metadata of any shape is what is tested.
function refusedWith(code: EncryptionErrorCode, changes: ((root: any) => unknown)[]): void {
  for (const change of changes) {
    const root = JSON.parse(text);
    change(root);
    assert.throws(
      () => decodeMetadata(JSON.stringify(root), volume.uuid),
      (error) => error instanceof EncryptionError && error.code === code,
      String(change),
    );
  }
}
