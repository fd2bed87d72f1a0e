import assert from "node:assert/strict";
import { test } from "node:test";
import { AppendHistory } from "../../../../soak/rados/faults/append-history.ts";
import { BlockHistory } from "../../../../soak/rados/faults/block-history.ts";

const violation = (message: RegExp) => ({ name: "Violation", message });

test("blocks: a read may return any version from the last acknowledged to the last begun", () => {
  const history = new BlockHistory(1024);
  const first = history.startWrite(3);
  assert.equal(history.check(3, history.startRead(3), Buffer.alloc(0)), 0);
  history.acknowledge(3, first.version);
  const second = history.startWrite(3);
  const least = history.startRead(3);
  assert.equal(history.check(3, least, first.bytes), 1);
  assert.equal(history.check(3, least, second.bytes), 2);
});

test("blocks: lost, stale, torn, misplaced and invented data are distinguished", () => {
  const history = new BlockHistory(1024);
  const first = history.startWrite(0);
  const second = history.startWrite(0);
  history.acknowledge(0, second.version);
  const least = history.startRead(0);
  assert.throws(() => history.check(0, least, Buffer.alloc(1024)), violation(/^lost/));
  assert.throws(() => history.check(0, least, first.bytes), violation(/^stale/));
  const torn = Buffer.concat([second.bytes.subarray(0, 512), first.bytes.subarray(512)]);
  assert.throws(() => history.check(0, least, torn), violation(/^torn.*differs at byte 516/));
  assert.throws(() => history.check(0, least, second.bytes.subarray(0, 700)), violation(/^torn/));
  const other = new BlockHistory(1024).startWrite(1).bytes;
  assert.throws(() => history.check(0, 0, other), violation(/^torn/));
  const later = Buffer.from(second.bytes);
  later.writeUInt32LE(9, 4);
  assert.throws(() => history.check(0, least, later), violation(/^alien/));
});

test("logs: lost, duplicated, reordered and torn records are distinguished", () => {
  const history = new AppendHistory(1);
  const records = Array.from({ length: 4 }, () => history.start());
  for (const { record } of records.slice(0, 3)) history.acknowledge(record);
  const [a, b, c, d] = records.map(({ bytes }) => bytes) as [Buffer, Buffer, Buffer, Buffer];
  const least = history.startRead();
  const check = (...parts: Buffer[]) => history.check(least, Buffer.concat(parts));
  check(a, b, c);
  check(a, b, c, d);
  assert.throws(() => check(a, b), violation(/^lost/));
  assert.throws(() => check(a, b, b, c), violation(/^twice/));
  assert.throws(() => check(a, c, b), violation(/^disordered/));
  assert.throws(() => check(a, b, c, d.subarray(9)), violation(/^torn/));
  const damaged = Buffer.from(b);
  damaged[40]! ^= 1;
  assert.throws(() => check(a, damaged, c), violation(/^torn/));
});
