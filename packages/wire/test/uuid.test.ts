import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader } from "../src/reader.ts";
import { readUuid, writeUuid } from "../src/uuid.ts";
import { WireError } from "../src/wire-error.ts";
import { Writer } from "../src/writer.ts";

test("a UUID is its sixteen bytes in the order of its text", () => {
  const uuid = "00112233-4455-6677-8899-aabbccddeeff";
  const w = new Writer();
  writeUuid(w, uuid.toUpperCase());
  assert.equal(w.finish().toString("hex"), "00112233445566778899aabbccddeeff");
  assert.equal(readUuid(new Reader(w.finish())), uuid);
});

test("what is no UUID is refused", () => {
  assert.throws(() => writeUuid(new Writer(), "0011"), WireError);
});
