import assert from "node:assert/strict";
import { test } from "node:test";
import { DiffReader } from "../../src/transfer/diff-reader.ts";
import { type ExportCursor, exportDiff } from "../../src/transfer/export-diff.ts";
import type { DiffExtent } from "../../src/transfer/image-ends.ts";
import { decodeDiff, MemorySink, sourceOf } from "../support/diffs.ts";
import { MemoryImage } from "../support/memory-image.ts";

test("each extent is a record; data that is all zeros, and what does not exist, are zeros", async () => {
  const bytes = Buffer.from("....abcd........");
  bytes.fill(0, 8, 12);
  const image = new MemoryImage(bytes, [
    { offset: 4, length: 4, exists: true },
    { offset: 8, length: 4, exists: true },
    { offset: 12, length: 4, exists: false },
  ]);
  const sink = new MemorySink();
  await exportDiff(image, { from: "a", to: "b", isProtected: true }, sink, { format: 2 });
  assert.deepEqual(await decodeDiff(await DiffReader.open(sourceOf(sink.bytes))), {
    header: { from: "a", to: "b", isProtected: true, size: 16 },
    records: [
      { offset: 4, length: 4, data: Buffer.from("abcd") },
      { offset: 8, length: 4, data: undefined },
      { offset: 12, length: 4, data: undefined },
    ],
  });
});

test("reads run in parallel within the limits", async () => {
  const image = new MemoryImage(Buffer.alloc(64, 1), extents(16, 4));
  await exportDiff(image, {}, new MemorySink(), { limits: { concurrency: 5, bytes: 12 } });
  assert.equal(image.mostUnderWay, 3);
});

test("an export that goes on at a cursor makes the same stream", async () => {
  const bytes = Buffer.alloc(600, "data");
  const image = new MemoryImage(bytes, extents(75, 8));
  const whole = new MemorySink();
  const cursors: ExportCursor[] = [];
  await exportDiff(image, { to: "a" }, whole, {
    onCursor: (cursor) => cursors.push(cursor),
    cursorBytes: 100,
  });
  assert.ok(cursors.length > 10);
  for (const resume of cursors) {
    const rest = new MemorySink();
    await exportDiff(image, { to: "a" }, rest, { resume });
    assert.equal(whole.bytes.subarray(resume.position).equals(rest.bytes), true);
  }
});

test("an aborted export begins no more reads", async () => {
  const image = new MemoryImage(Buffer.alloc(64, 1), extents(16, 4));
  const controller = new AbortController();
  const onProgress = () => controller.abort(new Error("enough"));
  await assert.rejects(
    exportDiff(image, {}, new MemorySink(), { signal: controller.signal, onProgress }),
    /enough/,
  );
  assert.equal(image.underWay, 0);
});

function extents(count: number, length: number): DiffExtent[] {
  return Array.from({ length: count }, (_, n) => ({ offset: n * length, length, exists: true }));
}
