import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBaselineOptions, replicasOf } from "../../src/baseline/options.ts";
import { LabError } from "../../src/errors.ts";

const usage = (pattern: RegExp) => (error: unknown) =>
  error instanceof LabError && error.code === "SIPHON_USAGE" && pattern.test(error.message);

test("everything has a default: two sizes, three clients, crc mode", () => {
  const { osds, engines, wire, repeat, size, seed } = parseBaselineOptions({});
  assert.deepEqual(
    { osds, engines, wire, repeat },
    {
      osds: [1, 3],
      engines: ["librbd", "krbd", "siphon"],
      wire: ["v2-crc"],
      repeat: 5,
    },
  );
  assert.ok(size >= 128 * 2 ** 20 && size <= 2 ** 30 && seed >= 0);
});

test("an existing cluster keeps its own wire unless told, and its authentication always", () => {
  assert.deepEqual(parseBaselineOptions({ existing: {} }).wire, ["own"]);
  assert.deepEqual(parseBaselineOptions({ existing: {}, wire: ["v2-secure"] }).wire, ["v2-secure"]);
  assert.throws(() => parseBaselineOptions({ existing: {}, wire: ["v1-none"] }), usage(/keeps its auth/));
  assert.throws(() => parseBaselineOptions({ wire: ["own"] }), usage(/existing cluster/));
});

test("what makes no sense is refused in one sentence that names it", () => {
  assert.throws(() => parseBaselineOptions({ osds: [3, 3] }), usage(/osds: something is named twice/));
  assert.throws(() => parseBaselineOptions({ osds: [Number.NaN] }), usage(/osds\.0/));
  assert.throws(() => parseBaselineOptions({ engines: ["nbd" as "krbd"] }), usage(/engines\.0/));
});

test("there are never more copies than OSDs", () => {
  assert.deepEqual([replicasOf(1), replicasOf(5), replicasOf(5, 2)], [1, 3, 2]);
});
