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

test("a local search that would go on for years is stopped", () => {
  const map = decodeCrushMap(Buffer.from(vectors[0]!.map, "base64"));
  const tunables = { ...map.tunables, chooseLocalTries: 0xffffffff, chooseLocalFallbackTries: 1 };
  const steps = [
    { op: crush.STEP_TAKE, arg1: -1, arg2: 0 },
    { op: crush.STEP_CHOOSE_FIRSTN, arg1: 0, arg2: 0 },
    { op: crush.STEP_EMIT, arg1: 0, arg2: 0 },
  ];
  const mapper = new CrushMapper({ ...map, tunables, rules: [{ ...map.rules[0]!, steps }] });
  const weights = new Uint32Array(map.maxDevices).fill(0x10000);
  assert.throws(() => mapper.place(0, 1, 9, weights, 0, new Int32Array(9)), /the CRUSH rule does not end/);
});

test("rules that would search for years are stopped, in full buckets and in empty ones", () => {
  const map = decodeCrushMap(Buffer.from(vectors[0]!.map, "base64"));
  const allOut = new Uint32Array(map.maxDevices);
  const endless = 0x7fffffff;
  const emptied = map.buckets.map((bucket) => bucket && { ...bucket, size: 0 });
  for (const buckets of [map.buckets, emptied]) {
    for (const [type, op] of [
      [1, crush.STEP_CHOOSE_FIRSTN],
      [3, crush.STEP_CHOOSE_INDEP],
      [crush.RULE_TYPE_MSR_FIRSTN, crush.STEP_CHOOSE_MSR],
    ] as const) {
      const settings =
        type === crush.RULE_TYPE_MSR_FIRSTN ? crush.STEP_SET_MSR_DESCENTS : crush.STEP_SET_CHOOSE_TRIES;
      const steps = [
        { op: settings, arg1: endless, arg2: 0 },
        { op: crush.STEP_TAKE, arg1: -1, arg2: 0 },
        { op, arg1: op === crush.STEP_CHOOSE_FIRSTN ? endless : 2, arg2: 0 },
        { op: crush.STEP_EMIT, arg1: 0, arg2: 0 },
      ];
      const mapper = new CrushMapper({ ...map, buckets, rules: [{ ...map.rules[0]!, type, steps }] });
      assert.throws(
        () => mapper.place(0, 1, 3, allOut, 0, new Int32Array(3)),
        (error) => error instanceof RadosError && /the CRUSH rule does not end/.test(error.message),
        `step ${op}`,
      );
    }
  }
});
