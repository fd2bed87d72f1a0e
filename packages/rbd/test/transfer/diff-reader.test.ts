import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DiffReader } from "../../src/transfer/diff-reader.ts";
import { TransferError } from "../../src/transfer/transfer-error.ts";
import { decodeDiff, diffs, encodeDiff, sourceOf, whole } from "../support/diffs.ts";

const small = { numRuns: 60 };

test("a diff of either format is read back as it was written, whatever the portions it comes in", async () => {
  await fc.assert(
    fc.asyncProperty(
      diffs("before", "after"),
      fc.constantFrom(1 as const, 2 as const),
      fc.integer({ min: 1, max: 100 }),
      async (diff, format, portion) => {
        const reader = await DiffReader.open(sourceOf(await encodeDiff(diff, format), portion));
        assert.equal(reader.format, format);
        assert.deepEqual(await decodeDiff(reader), diff);
      },
    ),
    small,
  );
});

test("data that is not taken is skipped, and taken in parts it is passed on in parts", async () => {
  const data = Buffer.from("0123456789");
  const diff = {
    header: { size: 100 },
    records: [
      { offset: 0, length: 10, data },
      { offset: 10, length: 10, data },
      { offset: 20, length: 5, data: undefined },
    ],
  };
  const reader = await DiffReader.open(sourceOf(await encodeDiff(diff, 1), 3));
  assert.deepEqual(await reader.next(), { type: "write", offset: 0, length: 10 });
  await reader.next();
  assert.equal((await whole(reader.payload(4))).toString(), "0123");
  await reader.skipPayload(2);
  assert.equal((await whole(reader.payload())).toString(), "6789");
  assert.deepEqual(await reader.next(), { type: "zero", offset: 20, length: 5 });
  assert.equal(await reader.next(), undefined);
  assert.equal(await reader.next(), undefined);
});

test("reading goes on at any cursor", async () => {
  await fc.assert(
    fc.asyncProperty(
      diffs(undefined, "after"),
      fc.constantFrom(1 as const, 2 as const),
      fc.nat(11),
      async (diff, format, stop) => {
        const bytes = await encodeDiff(diff, format);
        const first = await DiffReader.open(sourceOf(bytes));
        for (let n = 0; n < stop; n++) await first.next();
        const { cursor } = first;
        const rest = DiffReader.resume(sourceOf(bytes.subarray(cursor.position)), cursor);
        assert.deepEqual(await decodeDiff(rest), { header: first.header, records: diff.records.slice(stop) });
      },
    ),
    small,
  );
});

test("format 2: unknown records are skipped, before the data and among them", async () => {
  const unknown = Buffer.from("?\x03\0\0\0\0\0\0\0abc", "latin1");
  const plain = await encodeDiff(
    { header: { size: 9 }, records: [{ offset: 1, length: 2, data: undefined }] },
    2,
  );
  const banner = "rbd diff v2\n".length;
  const bytes = Buffer.concat([
    plain.subarray(0, banner),
    unknown,
    plain.subarray(banner, -1),
    unknown,
    plain.subarray(-1),
  ]);
  const { header, records } = await decodeDiff(await DiffReader.open(sourceOf(bytes)));
  assert.deepEqual(header, { size: 9 });
  assert.deepEqual(records, [{ offset: 1, length: 2, data: undefined }]);
});

test("a diff cut anywhere is refused as truncated", async () => {
  const diff = {
    header: { from: "a", size: 99 },
    records: [{ offset: 0, length: 9, data: Buffer.from("012345678") }],
  };
  for (const format of [1, 2] as const) {
    const bytes = await encodeDiff(diff, format);
    for (let end = 0; end < bytes.length; end++) {
      await assert.rejects(
        async () => decodeDiff(await DiffReader.open(sourceOf(bytes.subarray(0, end)))),
        (error) => error instanceof TransferError && error.code === "SIPHON_TRANSFER_TRUNCATED",
      );
    }
  }
});

test("what no writer writes is refused", async () => {
  const refused: [string, string, string][] = [
    ["another format", "rbd image v2\n", "SIPHON_TRANSFER_BANNER"],
    ["an unknown record in format 1", "rbd diff v1\n?", "SIPHON_TRANSFER_MALFORMED"],
    ["a name too long", "rbd diff v1\nf\x01\x10\0\0", "SIPHON_TRANSFER_MALFORMED"],
    ["a size beyond 2^53", "rbd diff v1\ns\0\0\0\0\0\0\0\xff", "SIPHON_TRANSFER_MALFORMED"],
    ["zeros of no bytes", `rbd diff v1\nz${"\0".repeat(16)}`, "SIPHON_TRANSFER_MALFORMED"],
    [
      "data beyond the end",
      `rbd diff v1\ns\x04${"\0".repeat(7)}z${"\0".repeat(8)}\x05${"\0".repeat(7)}`,
      "SIPHON_TRANSFER_MALFORMED",
    ],
    [
      "a size after data",
      `rbd diff v1\nz${"\0".repeat(8)}\x05${"\0".repeat(7)}s`,
      "SIPHON_TRANSFER_MALFORMED",
    ],
    [
      "lengths at odds",
      `rbd diff v2\nz\x11${"\0".repeat(7)}${"\0".repeat(8)}\x05${"\0".repeat(7)}`,
      "SIPHON_TRANSFER_MALFORMED",
    ],
  ];
  for (const [what, text, code] of refused) {
    const bytes = Buffer.from(text, "latin1");
    await assert.rejects(
      async () => decodeDiff(await DiffReader.open(sourceOf(bytes))),
      (error) => error instanceof TransferError && error.code === code,
      what,
    );
  }
});

test("bytes at random never end in anything but a TransferError", async () => {
  const banner = fc.constantFrom("rbd diff v1\n", "rbd diff v2\n");
  const tail = fc.array(
    fc.oneof(
      fc.constantFrom(..."ftpswze").map((tag) => tag.charCodeAt(0)),
      fc.nat(3),
      fc.nat(255),
    ),
    { maxLength: 80 },
  );
  await fc.assert(
    fc.asyncProperty(banner, tail, async (text, bytes) => {
      try {
        await decodeDiff(
          await DiffReader.open(sourceOf(Buffer.concat([Buffer.from(text), Buffer.from(bytes)]))),
        );
      } catch (error) {
        assert.ok(error instanceof TransferError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});
