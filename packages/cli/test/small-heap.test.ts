import assert from "node:assert/strict";
import { test } from "node:test";
import { isPlainAttach, isPlainBench } from "../src/small-heap.ts";

test("the heap is kept small where one thread serves images, without a cache", () => {
  const plain = [
    "pool/a --nbd /run/a.sock",
    "--vhost /run/a.sock pool/a --cache none",
    "pool/a --cache=none",
  ];
  for (const line of plain) assert.equal(isPlainAttach(line.split(" ")), true, line);
  const other = [
    "",
    "add pool/a",
    "ls",
    "pool/a --workers 2",
    "pool/a --shards=2",
    "pool/a --cache writeback",
  ];
  for (const line of other) assert.equal(isPlainAttach(line === "" ? [] : line.split(" ")), false, line);
});

test("the heap is kept small in a benchmark in one thread, and in no other command of rbd", () => {
  assert.equal(isPlainBench("bench pool/a --io-type read --cache none".split(" ")), true);
  for (const line of ["bench pool/a --scale 4", "bench pool/a --workers=2", "export pool/bench -", "ls"]) {
    assert.equal(isPlainBench(line.split(" ")), false, line);
  }
});
