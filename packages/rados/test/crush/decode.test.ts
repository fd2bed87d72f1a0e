import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError, Writer } from "@siphon/wire";
import { decodeCrushMap } from "../../src/crush/decode.ts";
import { crushVectors } from "../vectors/crush-maps.ts";

const maps = crushVectors().map(({ map }) => Buffer.from(map, "base64"));

test("names of types, items, rules and device classes are kept", () => {
  const { names } = decodeCrushMap(maps.find((map) => map.includes("~ssd"))!);
  assert.equal(names.types.get(1), "host");
  assert.equal(names.items.get(-1), "host0");
  assert.equal(names.rules.get(0), "rule0");
  assert.equal(names.deviceClasses.get(0), "ssd");
});

test("a map of an older release ends earlier, and has the tunables of its time", () => {
  const { tunables, chooseArgs } = decodeCrushMap(oneBucket().finish());
  assert.equal(tunables.chooseTotalTries, 19);
  assert.equal(tunables.chooseLocalFallbackTries, 5);
  assert.equal(tunables.chooseleafStable, false);
  assert.equal(chooseArgs.size, 0);
  const bobtail = decodeCrushMap(oneBucket().u32(0).u32(0).u32(50).u32(1).finish());
  assert.equal(bobtail.tunables.chooseTotalTries, 50);
  assert.equal(bobtail.tunables.chooseleafDescendOnce, true);
});

test("a bucket below itself is refused", () => {
  assert.throws(() => decodeCrushMap(oneBucket(-1).finish()), /bucket -1 lies below itself/);
});

test("a map cut short anywhere is refused, or is an older release's", () => {
  for (const map of maps) {
    for (let length = 0; length < map.length; length += 13) {
      try {
        decodeCrushMap(map.subarray(0, length));
      } catch (error) {
        assert.ok(error instanceof WireError, String(error));
      }
    }
  }
});

test("counts that the bytes cannot hold are refused", () => {
  const header = (buckets: number, rules: number) =>
    new Writer().u32(0x10000).u32(buckets).u32(rules).u32(1).zeros(64).finish();
  for (const [buckets, rules] of [
    [0x7fffffff, 0],
    [-1, 0],
    [0, 0xffffffff],
  ] as const) {
    assert.throws(() => decodeCrushMap(header(buckets, rules)), WireError);
  }
});

/** A map of one straw2 bucket with one item, no rules and no names. */
function oneBucket(item = 0): Writer {
  return new Writer()
    .u32(0x10000)
    .u32(1)
    .u32(0)
    .u32(1)
    .u32(5)
    .i32(-1)
    .u16(1)
    .u8(5)
    .u8(0)
    .u32(0x10000)
    .u32(1)
    .i32(item)
    .u32(0x10000)
    .zeros(12);
}
