import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { objectMapName } from "../../src/object-map/object-map.ts";
import { ObjectStates } from "../../src/object-map/object-states.ts";

const state = fc.integer({ min: 0, max: 3 });

function statesOf(values: readonly number[]): ObjectStates {
  const states = new ObjectStates(values.length);
  for (const [index, value] of values.entries()) states.set(index, value);
  return states;
}

function valuesOf(states: ObjectStates): number[] {
  return Array.from({ length: states.size }, (_, index) => states.get(index));
}

test("states are read as they were written", () => {
  fc.assert(
    fc.property(fc.array(state, { maxLength: 100 }), (values) => {
      const states = statesOf(values);
      assert.deepEqual(valuesOf(states), values);
      assert.deepEqual(valuesOf(ObjectStates.decode(states.encode())), values);
    }),
  );
});

test("an object map is laid out as Ceph's BitVector<2>", () => {
  const encoded = statesOf([1, 0, 2, 3, 1]).encode();
  assert.equal(encoded.readUInt32LE(0), 14, "length of the header");
  assert.deepEqual([...encoded.subarray(4, 18)], [1, 1, 8, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...encoded.subarray(18, 20)], [0b01_00_10_11, 0b01_00_00_00]);
  assert.equal(encoded.readUInt32LE(20), 12, "length of the footer: two checksums and their count");
  assert.equal(encoded.length, 36);
});

test("a map larger than one block has a checksum for each", () => {
  const states = new ObjectStates(4096 * 4 * 2 + 1, 1);
  assert.equal(states.encode().length, 4 + 14 + 8193 + 4 + 4 + 4 + 3 * 4);
  assert.equal(ObjectStates.decode(states.encode()).get(4096 * 8), 1);
});

test("a damaged map is refused", () => {
  fc.assert(
    fc.property(fc.array(state, { minLength: 9, maxLength: 60 }), fc.nat(), (values, at) => {
      const encoded = statesOf(values).encode();
      const data = 18 + (at % Math.ceil(values.length / 4));
      encoded[data]! ^= 0x10;
      assert.throws(() => ObjectStates.decode(encoded), { code: "SIPHON_WIRE_CHECKSUM" });
    }),
  );
});

test("a resized map keeps what it has, and new objects are in the given state", () => {
  fc.assert(
    fc.property(fc.array(state, { maxLength: 40 }), fc.nat(60), state, (values, size, added) => {
      const states = statesOf(values);
      states.resize(size, added);
      const expected = Array.from({ length: size }, (_, index) => values[index] ?? added);
      assert.deepEqual(valuesOf(states), expected);
      states.resize(size + 8, 0);
      assert.deepEqual(valuesOf(states).slice(size), [0, 0, 0, 0, 0, 0, 0, 0]);
    }),
  );
});

test("the map of a snapshot is an object of its own", () => {
  assert.equal(objectMapName("10ab"), "rbd_object_map.10ab");
  assert.equal(objectMapName("10ab", 31), "rbd_object_map.10ab.000000000000001f");
});
