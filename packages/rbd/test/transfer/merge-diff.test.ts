import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DiffReader } from "../../src/transfer/diff-reader.ts";
import { mergeDiffs } from "../../src/transfer/merge-diff.ts";
import { TransferError } from "../../src/transfer/transfer-error.ts";
import { type Diff, decodeDiff, diffs, encodeDiff, MemorySink, sourceOf } from "../support/diffs.ts";

test("a merged diff does to an image what the two do one after the other", async () => {
  await fc.assert(
    fc.asyncProperty(diffs("a", "b"), diffs("b", "c"), async (earlier, later) => {
      const merged = await merge(earlier, later);
      assert.deepEqual(merged.header, { from: "a", to: "c", size: later.header.size });
      const base = Buffer.alloc(earlier.header.size!, 0xee);
      assert.deepEqual(applied(merged, base), applied(later, applied(earlier, base)));
    }),
    { numRuns: 200 },
  );
});

test("diffs that do not follow each other are refused", async () => {
  const diff = (from: string | undefined, to: string | undefined) => ({
    header: { from, to, size: 1 },
    records: [],
  });
  for (const [to, from] of [
    ["b", "c"],
    ["b", undefined],
    [undefined, "b"],
  ]) {
    await assert.rejects(
      merge(diff("a", to), diff(from, "d")),
      (error) => error instanceof TransferError && error.code === "SIPHON_TRANSFER_MISMATCH",
    );
  }
  await assert.doesNotReject(merge(diff(undefined, undefined), diff(undefined, undefined)));
});

test("records out of order and diffs of format 2 are refused", async () => {
  const twice = { offset: 0, length: 1, data: undefined };
  const unordered = { header: { size: 9 }, records: [twice, twice] };
  await assert.rejects(
    merge(unordered, { header: { size: 9 }, records: [] }),
    /malformed diff: a record at 0/,
  );
  const second = await encodeDiff({ header: { size: 9 }, records: [] }, 2);
  await assert.rejects(mergeDiffs(sourceOf(second), sourceOf(second), new MemorySink()), /format 2/);
});

async function merge(earlier: Diff, later: Diff): Promise<Diff> {
  const sink = new MemorySink();
  await mergeDiffs(sourceOf(await encodeDiff(earlier, 1)), sourceOf(await encodeDiff(later, 1)), sink);
  return decodeDiff(await DiffReader.open(sourceOf(sink.bytes)));
}

/** The content of the image after the diff; parts it gains are zeros. */
function applied(diff: Diff, image: Buffer): Buffer {
  const result = Buffer.alloc(diff.header.size!);
  image.copy(result);
  for (const { offset, length, data } of diff.records) {
    if (data === undefined) result.fill(0, offset, offset + length);
    else data.copy(result, offset);
  }
  return result;
}
