import assert from "node:assert/strict";
import { test } from "node:test";
import { ExportReader, encodeExportHeader } from "../../src/transfer/export-format.ts";
import { TransferError } from "../../src/transfer/transfer-error.ts";
import { decodeDiff, encodeDiff, sourceOf } from "../support/diffs.ts";

const image = {
  order: 22,
  features: 61,
  stripeUnit: 4194304,
  stripeCount: 1,
  metadata: new Map([
    ["conf_rbd_cache", "false"],
    ["owner", "jürgen"],
  ]),
};
const toSnapshot = {
  header: { to: "one", isProtected: true, size: 64 },
  records: [{ offset: 8, length: 4, data: Buffer.from("data") }],
};
const toHead = { header: { from: "one", size: 32 }, records: [{ offset: 0, length: 8, data: undefined }] };

test("an export is read back: the image, then diff after diff", async () => {
  const bytes = Buffer.concat([
    encodeExportHeader(image, 2),
    await encodeDiff(toSnapshot, 2),
    await encodeDiff(toHead, 2),
  ]);
  const reader = await ExportReader.open(sourceOf(bytes));
  assert.deepEqual(reader.image, image);
  assert.equal(reader.diffs, 2);
  assert.deepEqual(await decodeDiff((await reader.next())!), toSnapshot);
  assert.deepEqual(await decodeDiff((await reader.next())!), toHead);
  assert.equal(await reader.next(), undefined);
});

test("a diff that is not read is passed over", async () => {
  const bytes = Buffer.concat([
    encodeExportHeader(image, 2),
    await encodeDiff(toSnapshot, 2),
    await encodeDiff(toHead, 2),
  ]);
  const reader = await ExportReader.open(sourceOf(bytes));
  await reader.next();
  assert.deepEqual((await reader.next())?.header, toHead.header);
});

test("what no writer writes is refused", async () => {
  const refused: [string, string][] = [
    ["rbd image v1\n", "SIPHON_TRANSFER_BANNER"],
    [`rbd image v2\nO\x04${"\0".repeat(11)}`, "SIPHON_TRANSFER_MALFORMED"],
    [`rbd image v2\nM${"\xff".repeat(3)}\x0f${"\0".repeat(12)}`, "SIPHON_TRANSFER_MALFORMED"],
    [`rbd image v2\nM\x08${"\0".repeat(7)}\x05${"\0".repeat(7)}`, "SIPHON_TRANSFER_MALFORMED"],
    ["rbd image v2\nErbd diff v2\nxxxxxxxxxxxxxxxxxx", "SIPHON_TRANSFER_BANNER"],
    ["rbd image v2\nErbd image diffs v2\n\x01", "SIPHON_TRANSFER_TRUNCATED"],
  ];
  for (const [text, code] of refused) {
    await assert.rejects(
      ExportReader.open(sourceOf(Buffer.from(text, "latin1"))),
      (error) => error instanceof TransferError && error.code === code,
      text,
    );
  }
});
