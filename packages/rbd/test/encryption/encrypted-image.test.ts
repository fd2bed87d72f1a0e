import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Secret } from "@siphon/wire";
import fc from "fast-check";
import { EncryptedImage } from "../../src/encryption/encrypted-image.ts";
import type { LuksVolume } from "../../src/encryption/luks-volume.ts";
import { SectorCipher } from "../../src/encryption/sector-cipher.ts";
import { flushImage, readBytes, writeBytes, zeroBytes } from "../../src/io/image-operations.ts";
import { BufferRequest } from "../../src/io/promise-request.ts";
import { MemoryDisk } from "../support/memory-disk.ts";
import { OverlappingWrites } from "../support/overlapping-writes.ts";

const dataOffset = 8192;
const size = 64 * 1024;
const key = randomBytes(64);

test("an image reads as it was written, at any alignment, and zeros where it never was", async () => {
  const offset = fc.nat(size - 1);
  const operation = fc.oneof(
    fc.record({
      kind: fc.constant("write" as const),
      offset,
      length: fc.integer({ min: 1, max: 9000 }),
      byte: fc.nat(255),
    }),
    fc.record({
      kind: fc.constant("zero" as const),
      offset,
      length: fc.integer({ min: 1, max: 9000 }),
      byte: fc.constant(0),
    }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(512, 4096),
      fc.array(operation, { maxLength: 20 }),
      async (sectorBytes, operations) => {
        const { image } = encrypted(sectorBytes);
        const expected = Buffer.alloc(size);
        for (const { kind, offset, length, byte } of operations) {
          const end = Math.min(size, offset + length);
          expected.fill(byte, offset, end);
          if (kind === "zero") await zeroBytes(image, offset, end - offset);
          else await writeBytes(image, offset, Buffer.alloc(end - offset, byte));
          assert.deepEqual(await readBytes(image, offset, end - offset), expected.subarray(offset, end));
        }
        assert.deepEqual(await readBytes(image, 0, size), expected);
      },
    ),
    { numRuns: 40 },
  );
});

test("writes to parts of the same sectors at once lose nothing", async () => {
  const { image } = encrypted(4096);
  const expected = randomBytes(size);
  const writes: Promise<void>[] = [];
  for (let at = 0, n = 0; at < size; n++) {
    const length = Math.min(n % 7 === 0 ? 8192 : 100 + ((n * 37) % 900), size - at);
    writes.push(writeBytes(image, at, expected.subarray(at, at + length)));
    at += length;
  }
  await Promise.all(writes);
  await flushImage(image);
  assert.deepEqual(await readBytes(image, 0, size), expected);
});

test("whenever the client dies, no sector is torn, and none has less than what was acknowledged, neighbours of what is written included", async () => {
  const write = fc.record({ sector: fc.nat(31), sectors: fc.integer({ min: 1, max: 20 }), turns: fc.nat(4) });
  await fc.assert(
    fc.asyncProperty(fc.array(write, { minLength: 2, maxLength: 60 }), async (writes) => {
      const { image, disk } = encrypted(4096);
      const model = new OverlappingWrites();
      const region = 32 * 1024;
      const cipher = new SectorCipher(key, 4096);
      disk.written = () => {
        const stored = Buffer.from(disk.bytes.subarray(dataOffset, dataOffset + region));
        for (let at = 0; at < region; at += 4096) {
          if (stored.subarray(at, at + 4096).some((byte) => byte !== 0)) {
            cipher.decrypt(stored, at, at + 4096, at / 512);
          }
        }
        model.assertLegal(stored, 0);
      };
      const running: Promise<void>[] = [];
      for (const [index, { sector, sectors, turns }] of writes.entries()) {
        const offset = sector * 512;
        const length = sectors * 512;
        const sent = model.sent(offset, length, index + 1);
        running.push(writeBytes(image, offset, Buffer.alloc(length, index + 1)).then(() => model.done(sent)));
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      }
      await Promise.all(running);
    }),
    { numRuns: 60 },
  );
});

test("a write does not pass an earlier one to the same sectors that waits", async () => {
  const { image, disk } = encrypted(4096);
  disk.inOrder = true;
  // The second waits for the first, which writes a part of its sector; the third does not touch the first's.
  const first = writeBytes(image, 0, Buffer.alloc(512, 1));
  const second = writeBytes(image, 0, Buffer.alloc(8192, 2));
  const third = writeBytes(image, 4096, Buffer.alloc(4096, 3));
  await Promise.all([first, second, third]);
  assert.deepEqual(
    await readBytes(image, 0, 8192),
    Buffer.concat([Buffer.alloc(4096, 2), Buffer.alloc(4096, 3)]),
  );
});

test("what lies beneath is the data encrypted by sector numbers from the data's start on", async () => {
  const { image, disk } = encrypted(4096);
  const data = randomBytes(8192);
  await writeBytes(image, 4096, data);
  const stored = Buffer.from(disk.bytes.subarray(dataOffset + 4096, dataOffset + 12288));
  new SectorCipher(key, 4096).decrypt(stored, 0, stored.length, 8);
  assert.deepEqual(stored, data);
  assert.equal(disk.writes, 1);
});

test("zeros that are written are stored encrypted", async () => {
  const { image, disk } = encrypted(512);
  await zeroBytes(image, 0, 1024);
  assert.ok(disk.bytes.subarray(dataOffset, dataOffset + 1024).some((byte) => byte !== 0));
  assert.deepEqual(await readBytes(image, 0, 1024), Buffer.alloc(1024));
});

test("of a discard only whole units reach the image beneath", async () => {
  const { image, disk } = encrypted(4096, 16384);
  await writeBytes(image, 0, Buffer.alloc(size, 7));
  await discard(image, 4096, 40_000);
  assert.deepEqual(disk.discarded, [{ offset: dataOffset + 16384, length: 16384 }]);
  const expected = Buffer.alloc(size, 7).fill(0, 16384, 32768);
  assert.deepEqual(await readBytes(image, 0, size), expected);

  const without = encrypted(4096);
  await discard(without.image, 0, size);
  assert.deepEqual(without.disk.discarded, []);
});

test("requests end with the image; those beyond it fail", async () => {
  const { image } = encrypted(4096);
  assert.equal(image.size, size);
  const bytes = Buffer.alloc(100, 9);
  await request(size - 10, bytes, (r) => image.read(r));
  assert.deepEqual(bytes.subarray(0, 10), Buffer.alloc(10));
  await assert.rejects(
    request(size, bytes, (r) => image.write(r)),
    /-22/,
  );
});

test("failures beneath are the request's own, and the image goes on", async () => {
  const { image, disk } = encrypted(4096);
  for (const failures of [1, 2]) {
    disk.failures = failures;
    const results = await Promise.allSettled([
      writeBytes(image, 100, Buffer.alloc(50, 1)),
      writeBytes(image, 200, Buffer.alloc(50, 2)),
    ]);
    assert.equal(results.filter(({ status }) => status === "rejected").length, failures);
  }
  await writeBytes(image, 100, Buffer.alloc(50, 3));
  assert.deepEqual(await readBytes(image, 100, 50), Buffer.alloc(50, 3));
});

function encrypted(sectorBytes: number, discardUnit?: number) {
  const disk = new MemoryDisk(dataOffset + size + 100);
  const volume = { sectorBytes, dataOffset, firstSector: 0 } as LuksVolume;
  const image = new EncryptedImage(disk, volume, new Secret(Buffer.from(key)), { discardUnit });
  return { disk, image };
}

function discard(image: EncryptedImage, offset: number, length: number): Promise<void> {
  return request(offset, Buffer.alloc(length), (r) => image.discard(r));
}

function request(offset: number, bytes: Buffer, start: (r: BufferRequest) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (result: number) => reject(new Error(String(result)));
    start(new BufferRequest(offset, bytes.length, bytes, { resolve, reject: failed }));
  });
}
