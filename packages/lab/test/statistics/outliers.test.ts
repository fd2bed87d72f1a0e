import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { outliers } from "../../src/statistics/outliers.ts";

test("the one value far from the others is an outlier, on either side", () => {
  assert.deepEqual(outliers([100, 102, 98, 101, 40]), [false, false, false, false, true]);
  assert.deepEqual(outliers([100, 102, 98, 101, 200]), [false, false, false, false, true]);
});

test("ordinary scatter has none", () => {
  assert.ok(!outliers([90, 95, 100, 105, 110]).includes(true));
});

test("among mostly equal values the odd one is found", () => {
  assert.deepEqual(outliers([5, 5, 5, 5, 9]), [false, false, false, false, true]);
});

test("equal values, few values and no values have none", () => {
  for (const values of [[7, 7, 7, 7, 7], [1, 1, 1, 900], []]) assert.ok(!outliers(values).includes(true));
});

test("never are most of the values outliers", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { maxLength: 20 }), (values) => {
      const found = outliers(values);
      assert.equal(found.length, values.length);
      assert.ok(found.filter(Boolean).length <= values.length / 2);
    }),
  );
});
