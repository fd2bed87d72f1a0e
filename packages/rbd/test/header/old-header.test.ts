import assert from "node:assert/strict";
import { test } from "node:test";
import { noSnapshots } from "@siphon/rados";
import { Writer } from "@siphon/wire";
import { decodeOldHeader, encodeOldHeader } from "../../src/header/old-header.ts";
import { dataObject, headerObject, oldId } from "../../src/object-names.ts";

function header(signature: string): Buffer {
  const text = (value: string, length: number) => Buffer.from(value.padEnd(length, "\0"));
  const names = Buffer.from("tuesday\0monday\0");
  const w = new Writer()
    .raw(text("<<< Rados Block Device Image >>>\n", 40))
    .raw(text("rb.0.1026.6b8b4567", 24))
    .raw(text(signature, 4))
    .raw(text("001.005", 8))
    .raw(Buffer.from([22, 0, 0, 0]));
  w.u64(10 << 20)
    .u64(5)
    .u32(2)
    .u32(0)
    .u64(names.length);
  w.u64(5)
    .u64(10 << 20)
    .u64(3)
    .u64(8 << 20)
    .raw(names);
  return w.finish();
}

test("the header of an image of format 1 has its size, its objects' names and its snapshots", () => {
  const { size, order, objectPrefix, snapContext, snapshots, features } = decodeOldHeader(
    header("RBD"),
    "vm",
  );
  assert.deepEqual([size, order, objectPrefix, features], [10 << 20, 22, "rb.0.1026.6b8b4567", 0]);
  assert.deepEqual(snapContext, { seq: 5, snaps: [5, 3] });
  assert.deepEqual(
    [...snapshots.values()].map(({ id, name, size: was }) => [id, name, was]),
    [
      [3, "monday", 8 << 20],
      [5, "tuesday", 10 << 20],
    ],
  );
});

test("an object that is something else is no header", () => {
  assert.throws(() => decodeOldHeader(header("RBX"), "vm"), { code: "SIPHON_RBD_UNSUPPORTED" });
});

test("objects of images of format 1 have names of their own", () => {
  assert.equal(headerObject(oldId("vm")), "vm.rbd");
  assert.equal(headerObject("10226b8b4567"), "rbd_header.10226b8b4567");
  assert.equal(dataObject("rb.0.1026.6b8b4567", 26), "rb.0.1026.6b8b4567.00000000001a");
  assert.equal(dataObject("rbd_data.10226b8b4567", 26), "rbd_data.10226b8b4567.000000000000001a");
});

test("the header of a new image of format 1 is read as it was written", () => {
  const image = { objectPrefix: "rb.0.1026.6b8b4567", order: 23, size: 5 << 20 };
  const { objectPrefix, order, size, snapContext, snapshots } = decodeOldHeader(encodeOldHeader(image), "vm");
  assert.deepEqual({ objectPrefix, order, size }, image);
  assert.equal(snapContext, noSnapshots);
  assert.equal(snapshots.size, 0);
});
