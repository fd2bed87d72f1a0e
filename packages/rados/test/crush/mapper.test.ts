import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeCrushMap } from "../../src/crush/decode.ts";
import * as crush from "../../src/crush/map.ts";
import { CrushMapper } from "../../src/crush/mapper.ts";
import { RadosError } from "../../src/errors.ts";
import { crushVectors } from "../vectors/crush-maps.ts";

const vectors = crushVectors();

test("devices are those that crushtool chose", () => {
  for (const { map, devices, out, size, placements } of vectors) {
    const mapper = new CrushMapper(decodeCrushMap(Buffer.from(map, "base64")));
    const weights = Uint32Array.from({ length: devices }, (_, device) => (device === out ? 0 : 0x10000));
    const placed = new Int32Array(size);
    for (const [rule, x, osds] of placements) {
      const filled = mapper.place(rule, x, size, weights, 0, placed);
      assert.deepEqual([...placed.subarray(0, filled)], osds, `rule ${rule}, input ${x}`);
    }
  }
});

test("a rule that does not exist places nothing", () => {
  const mapper = new CrushMapper(decodeCrushMap(Buffer.from(vectors[0]!.map, "base64")));
  assert.equal(mapper.place(99, 1, 3, new Uint32Array(3).fill(0x10000), 0, new Int32Array(3)), 0);
});

test("devices beyond the weights are out", () => {
  const mapper = new CrushMapper(decodeCrushMap(Buffer.from(vectors[0]!.map, "base64")));
  assert.equal(mapper.place(0, 1, 3, new Uint32Array(0), 0, new Int32Array(3)), 0);
});

test("a rule that would search for years is stopped", () => {
  const map = decodeCrushMap(Buffer.from(vectors[0]!.map, "base64"));
  const steps = [
    { op: crush.STEP_SET_CHOOSE_TRIES, arg1: 0x7fffffff, arg2: 0 },
    { op: crush.STEP_TAKE, arg1: -1, arg2: 0 },
    { op: crush.STEP_CHOOSE_FIRSTN, arg1: 0x7fffffff, arg2: 0 },
    { op: crush.STEP_EMIT, arg1: 0, arg2: 0 },
  ];
  const mapper = new CrushMapper({ ...map, rules: [{ ...map.rules[0]!, steps }] });
  const allOut = new Uint32Array(map.maxDevices);
  assert.throws(
    () => mapper.place(0, 1, 3, allOut, 0, new Int32Array(3)),
    (error) => error instanceof RadosError && /does not come to an end/.test(error.message),
  );
});
