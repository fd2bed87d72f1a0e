import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type DiffCursor, DiffReader } from "../../src/transfer/diff-reader.ts";
import { exportDiff } from "../../src/transfer/export-diff.ts";
import { type ImportDiffOptions, importDiff } from "../../src/transfer/import-diff.ts";
import { TransferError } from "../../src/transfer/transfer-error.ts";
import { type Diff, diffs, encodeDiff, MemorySink, sourceOf } from "../support/diffs.ts";
import { MemoryImage } from "../support/memory-image.ts";

test("what was exported of one image makes the other one the same, snapshot and all", async () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((array) => Buffer.from(array));
  await fc.assert(
    fc.asyncProperty(bytes, fc.nat(300), fc.boolean(), async (data, oldSize, isProtected) => {
      const source = new MemoryImage(data, [{ offset: 0, length: data.length, exists: true }]);
      const sink = new MemorySink();
      await exportDiff(source, { to: "now", isProtected }, sink, { format: 2 });
      const target = new MemoryImage(Buffer.alloc(oldSize, 0xee));
      await importDiff(await DiffReader.open(sourceOf(sink.bytes)), target, { sparseSize: 8 });
      assert.deepEqual(target.bytes, data);
      assert.deepEqual(target.snapshots.get("now"), { bytes: data, isProtected });
    }),
    { numRuns: 50 },
  );
});

test("zeros within data are written as zeros, not as data", async () => {
  const data = Buffer.alloc(64);
  data[20] = 1;
  const target = new MemoryImage();
  await apply({ header: { size: 64 }, records: [{ offset: 0, length: 64, data }] }, target, {
    sparseSize: 8,
  });
  assert.equal(target.writtenBytes, 8);
  assert.deepEqual(target.bytes, data);
});

test("a diff between other snapshots is refused before anything is written", async () => {
  const target = new MemoryImage(Buffer.from("kept"));
  await target.createSnapshot("here", false);
  for (const header of [
    { from: "elsewhere", size: 9 },
    { from: "here", to: "here", size: 9 },
  ]) {
    await assert.rejects(
      apply({ header, records: [] }, target),
      (error) => error instanceof TransferError && error.code === "SIPHON_TRANSFER_MISMATCH",
    );
  }
  assert.equal(target.bytes.toString(), "kept");
});

test("applying a diff goes on at any cursor", async () => {
  await fc.assert(
    fc.asyncProperty(diffs(undefined, "after"), fc.nat(11), async (diff, stop) => {
      const bytes = await encodeDiff(diff, 1);
      const reader = await DiffReader.open(sourceOf(bytes));
      for (let n = 0; n < stop; n++) await reader.next();
      const { cursor } = reader;
      const whole = new MemoryImage();
      await apply(diff, whole);
      const resumed = new MemoryImage();
      await apply({ header: diff.header, records: diff.records.slice(0, stop) }, resumed);
      resumed.snapshots.clear();
      await importDiff(DiffReader.resume(sourceOf(bytes.subarray(cursor.position)), cursor), resumed);
      assert.deepEqual(resumed.bytes, whole.bytes);
    }),
    { numRuns: 50 },
  );
});

test("a cursor is told only when all before it is in the image", async () => {
  const data = Buffer.alloc(1000, 1);
  const records = Array.from({ length: 30 }, (_, n) => ({
    offset: n * data.length,
    length: data.length,
    data,
  }));
  const target = new MemoryImage();
  const cursors: DiffCursor[] = [];
  await apply({ header: { size: 30 * data.length }, records }, target, {
    cursorBytes: 25 * data.length,
    onCursor: (cursor) => {
      cursors.push(cursor);
      assert.equal(target.underWay, 0);
      assert.equal(target.bytes[25 * data.length - 1], 1);
    },
  });
  assert.equal(cursors.length, 1);
});

test("a write that fails ends the import", async () => {
  const target = new MemoryImage();
  target.resize = async () => {};
  const records = [{ offset: 0, length: 4, data: Buffer.from("data") }];
  await assert.rejects(apply({ header: { to: "never", size: 4 }, records }, target), /beyond the end/);
  assert.equal(target.snapshots.size, 0);
});

async function apply(diff: Diff, target: MemoryImage, options: ImportDiffOptions = {}): Promise<void> {
  await importDiff(await DiffReader.open(sourceOf(await encodeDiff(diff, 1), 1024 * 1024)), target, options);
}
