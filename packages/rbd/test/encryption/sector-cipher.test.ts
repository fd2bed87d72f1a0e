import assert from "node:assert/strict";
import { createCipheriv, randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { SectorCipher } from "../../src/encryption/sector-cipher.ts";

const cases = fc.record({
  keyBytes: fc.constantFrom(32, 64),
  sectorBytes: fc.constantFrom(512, 1024, 2048, 4096),
  sectors: fc.integer({ min: 1, max: 40 }),
  first: fc.oneof(fc.nat(100), fc.integer({ min: 0, max: 2 ** 44 })),
  start: fc.nat(50),
});

test("sectors are what OpenSSL's AES-XTS makes of each with its number", () => {
  fc.assert(
    fc.property(cases, ({ keyBytes, sectorBytes, sectors, first, start }) => {
      const key = randomBytes(keyBytes);
      const plain = randomBytes(start + sectors * sectorBytes + 9);
      const end = start + sectors * sectorBytes;
      const expected = Buffer.from(plain);
      for (let n = 0; n < sectors; n++) {
        const initial = Buffer.alloc(16);
        initial.writeBigUInt64LE(BigInt(first) + BigInt((n * sectorBytes) / 512));
        const at = start + n * sectorBytes;
        const cipher = createCipheriv(`aes-${keyBytes * 4}-xts`, key, initial);
        expected.set(cipher.update(plain.subarray(at, at + sectorBytes)), at);
      }
      const cipher = new SectorCipher(key, sectorBytes);
      const bytes = Buffer.from(plain);
      cipher.encrypt(bytes, start, end, first);
      assert.deepEqual(bytes, expected);
      cipher.decrypt(bytes, start, end, first);
      assert.deepEqual(bytes, plain);
    }),
    { numRuns: 40 },
  );
});

test("a part of what was encrypted is decrypted by itself", () => {
  const cipher = new SectorCipher(randomBytes(64), 4096);
  const plain = randomBytes(300 * 1024);
  const bytes = Buffer.from(plain);
  cipher.encrypt(bytes, 0, bytes.length, 16);
  cipher.decrypt(bytes, 128 * 1024, 256 * 1024, 16 + 256);
  assert.equal(bytes.compare(plain, 128 * 1024, 256 * 1024, 128 * 1024, 256 * 1024), 0);
});

test("parts of sectors and keys of other lengths are refused", () => {
  assert.throws(() => new SectorCipher(randomBytes(48), 512), RangeError);
  assert.throws(
    () => new SectorCipher(randomBytes(32), 512).encrypt(Buffer.alloc(600), 0, 600, 0),
    RangeError,
  );
});
