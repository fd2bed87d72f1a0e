import assert from "node:assert/strict";
import { test } from "node:test";
import { Writer } from "@siphon/wire";
import { opCode } from "../../src/objecter/op-code.ts";
import { ObjectTarget } from "../../src/objecter/target.ts";
import type { ObjectOperation } from "../../src/objects/operation.ts";
import { accessFlags, OperationRequest } from "../../src/objects/operation-request.ts";
import { ReadOperation } from "../../src/objects/read-operation.ts";
import { WriteOperation } from "../../src/objects/write-operation.ts";
import { opsOf } from "../support/fake-objecter.ts";

const wire = (operation: ObjectOperation<unknown[]>) =>
  opsOf(new OperationRequest(new ObjectTarget(1, "o"), operation.ops, 0)).map(({ arguments: text, input }) =>
    input.length > 0 ? `${text}|${input.toString("latin1")}` : text,
  );

test("extents: offset and length as u64, data as input", () => {
  const operation = new WriteOperation()
    .write(0x1_0000_0002, Buffer.from("abc"))
    .writeFull(Buffer.from("abcd"))
    .append(Buffer.from("ab"))
    .zero(4096, 512)
    .truncate(7)
    .writeSame(0, 8, Buffer.from("xy"));
  assert.deepEqual(wire(operation), [
    "020000000100000003|abc",
    "000000000000000004|abcd",
    "000000000000000002|ab",
    "00100000000000000002",
    "07",
    "0000000000000000080000000000000002|xy",
  ]);
});

test("reads and their guards", () => {
  const operation = new ReadOperation()
    .assertVersion(9)
    .compareExtent(1, Buffer.from("q"))
    .read({ offset: 16, length: 32 })
    .checksum("crc32c", { length: 4096, chunk: 1024, initial: 1n });
  assert.deepEqual(wire(operation), [
    "000000000000000009",
    "010000000000000001|q",
    "100000000000000020",
    "000000000000000000100000000000000004000002|\x01\0\0\0",
  ]);
});

test("attributes: lengths of name and value, how to compare", () => {
  assert.deepEqual(
    wire(new WriteOperation().setXattr("a", "bcd").compareXattr("ab", ">=", "c").compareXattr("n", "<", 258)),
    ["0100000003|abcd", "02000000010000000401|abc", "01000000080000000502|n\x02\x01\0\0\0\0\0\0"],
  );
});

test("a map in an object's data: changes in the order of their keys", () => {
  assert.deepEqual(
    wire(new WriteOperation().updateTmap([{ set: "b", value: Buffer.from("v") }, { remove: "a" }])),
    ["|r\x01\0\0\0as\x01\0\0\0b\x01\0\0\0v"],
  );
});

test("omap: ranges, lists of keys, guards", () => {
  assert.deepEqual(wire(new ReadOperation().getOmapValues({ after: "k", prefix: "p", limit: 2 })), [
    "|\x01\0\0\0k\x02\0\0\0\0\0\0\0\x01\0\0\0p",
  ]);
  assert.deepEqual(wire(new WriteOperation().removeOmapKeys(new Set(["a", "b"]))), [
    "|\x02\0\0\0\x01\0\0\0a\x01\0\0\0b",
  ]);
  assert.deepEqual(
    wire(new ReadOperation().compareOmap(new Map([["k", { comparison: ">", value: Buffer.from("v") }]]))),
    ["|\x01\0\0\0\x01\0\0\0k\x01\0\0\0v\x03\0\0\0"],
  );
});

test("methods of classes: three lengths, then class, method and input", () => {
  assert.deepEqual(wire(new ReadOperation().exec("rbd", "get_id", Buffer.from("in"))), [
    "03060002|rbdget_idin",
  ]);
});

test("snapshots: the id to go back to, the object to copy", () => {
  assert.deepEqual(wire(new WriteOperation().rollback(3)), ["03"]);
  const [copied] = wire(new WriteOperation().copyFrom({ poolId: 2, name: "src" }));
  assert.ok(copied!.startsWith("feffffffffffffff|\x03\0\0\0src\x06\x03"));
});

test("flags go with the step that they were said of", () => {
  const { ops } = new ReadOperation().getXattr("a").failOk().read({ length: 1 }).advise("dontNeed");
  assert.deepEqual(
    ops.map(({ flags }) => flags),
    [2, 0x20],
  );
  assert.equal(new WriteOperation().create({ exclusive: true }).ops[0]!.flags, 1);
  assert.throws(() => new ReadOperation().failOk(), RangeError);
});

test("a request reads or writes by what is in it; a method of a class does not say", () => {
  assert.equal(accessFlags(new ReadOperation().stat().ops), 0x10);
  assert.equal(accessFlags(new WriteOperation().create().ops), 0x20);
  assert.equal(accessFlags(new WriteOperation().assertExists().remove().ops), 0x30);
  assert.equal(accessFlags(new ReadOperation().exec("c", "m").ops), 0);
});

test("values come in the order of the steps, typed, undefined where one failed that may", () => {
  const operation = new ReadOperation().stat().getXattr("a").failOk().getOmapKeys().sparseRead();
  const outputs = [
    new Writer().u64(5).u32(1_000).u32(500_000_000).finish(),
    Buffer.alloc(0),
    new Writer().u32(2).string("a").string("b").bool(true).finish(),
    new Writer().u32(1).u64(4096).u64(3).blob(Buffer.from("abc")).finish(),
  ];
  const [stat, attribute, page, sparse] = operation.decode(outputs, [0, -61, 0, 0]);
  assert.deepEqual(stat, { size: 5, mtime: new Date(1_000_500), nanoseconds: 500_000_000 });
  assert.equal(attribute?.length, undefined);
  assert.deepEqual(page, { keys: ["a", "b"], more: true });
  assert.deepEqual(sparse, { extents: [{ offset: 4096, length: 3 }], data: Buffer.from("abc") });
});

test("outputs that cannot be are refused", () => {
  assert.throws(() => new ReadOperation().stat().decode([Buffer.alloc(3)], [0]), {
    code: "SIPHON_WIRE_TRUNCATED",
  });
  const sparse = new Writer().u32(1).u64(0).u64(9).blob(Buffer.alloc(8)).finish();
  assert.throws(() => new ReadOperation().sparseRead().decode([sparse], [0]), {
    code: "SIPHON_WIRE_MALFORMED",
  });
  const many = new Writer().u32(0xffff_ffff).finish();
  assert.throws(() => new ReadOperation().getXattrs().decode([many], [0]), { code: "SIPHON_WIRE_TRUNCATED" });
});

test("reads of nothing and longer than the memory given are the caller's mistake", () => {
  assert.throws(() => new ReadOperation().read({ length: 0 }), RangeError);
  assert.throws(() => new ReadOperation().read({ length: 9, into: new Uint8Array(8) }), RangeError);
  assert.equal(new ReadOperation().read().ops[0]!.code, opCode.read);
});
