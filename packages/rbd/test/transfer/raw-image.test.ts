import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { exportRaw, exportRawFile, importRaw, importRawFile } from "../../src/transfer/raw-image.ts";
import { MemorySink } from "../support/diffs.ts";
import { MemoryImage } from "../support/memory-image.ts";

const pieceBytes = 64 * 1024;

test("a stream gets the whole image", async () => {
  const { image } = sparseImage();
  const sink = new MemorySink();
  await exportRaw(image, sink, { pieceBytes });
  assert.deepEqual(sink.bytes, image.bytes);
});

test("a file gets the whole image, with holes for zeros", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "siphon-raw-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "image");
  const { image } = sparseImage();
  await using file = await open(path, "wx");
  await exportRawFile(image, file, { pieceBytes });
  assert.deepEqual(readFileSync(path), image.bytes);
  assert.ok(statSync(path).blocks * 512 < image.size / 2);
});

test("an import leaves zeros out and ends with the size of what came", async () => {
  const { image, dataBytes } = sparseImage();
  for (const size of [0, 1, image.size, 2 * image.size]) {
    const target = new MemoryImage(Buffer.alloc(size));
    await importRaw(portions(image.bytes), target, { pieceBytes, sparseSize: 4096 });
    assert.deepEqual(target.bytes, image.bytes);
    assert.equal(target.writtenBytes, dataBytes);
  }
});

test("an import of a file does the same", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "siphon-raw-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "image");
  const { image, dataBytes } = sparseImage();
  writeFileSync(path, image.bytes);
  await using file = await open(path);
  for (const size of [0, 2 * image.size]) {
    const target = new MemoryImage(Buffer.alloc(size));
    await importRawFile(file, target, { pieceBytes });
    assert.deepEqual(target.bytes, image.bytes);
    assert.equal(target.writtenBytes, dataBytes);
  }
});

test("an export and an import go on where they were", async () => {
  const { image } = sparseImage();
  const start = 2 * pieceBytes;
  const sink = new MemorySink();
  await exportRaw(image, sink, { pieceBytes, start });
  assert.deepEqual(sink.bytes, image.bytes.subarray(start));
  const target = new MemoryImage(Buffer.from(image.bytes).fill(0, start));
  await importRaw(portions(sink.bytes), target, { pieceBytes, start });
  assert.deepEqual(target.bytes, image.bytes);
});

/** Data in two blocks, far apart, and at the odd end. */
function sparseImage(): { image: MemoryImage; dataBytes: number } {
  const bytes = Buffer.alloc(20 * pieceBytes + 100);
  bytes.fill("data", 5000, 5010);
  bytes.fill("more", 10 * pieceBytes, 10 * pieceBytes + 4096);
  bytes.fill("end", bytes.length - 1);
  return { image: new MemoryImage(bytes), dataBytes: 2 * 4096 + 100 };
}

async function* portions(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
}
