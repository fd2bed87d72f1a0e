import assert from "node:assert/strict";
import { test } from "node:test";
import { holm } from "../../src/statistics/holm.ts";

test("the least probability counts as often as there are comparisons, the next one less, and so on", () => {
  const corrected = holm([0.01, 0.04, 0.03, 0.005]).map((value) => Number(value.toFixed(6)));
  assert.deepEqual(corrected, [0.03, 0.06, 0.06, 0.02]);
});

test("one comparison alone needs no correction, and nothing is likelier than certain", () => {
  assert.deepEqual(holm([0.04]), [0.04]);
  assert.deepEqual(holm([0.9, 0.8]), [1, 1]);
  assert.deepEqual(holm([]), []);
});
