import assert from "node:assert/strict";
import { test } from "node:test";
import { imageFeature } from "../../src/image-state.ts";
import { planFeatures } from "../../src/maintenance/features.ts";

const { layering, striping, exclusiveLock, objectMap, fastDiff, deepFlatten, journaling } = imageFeature;
const usual = layering | exclusiveLock | objectMap | fastDiff | deepFlatten;

test("object-map and fast-diff come and go together", () => {
  assert.equal(planFeatures(layering | exclusiveLock, objectMap, true), objectMap | fastDiff);
  assert.equal(planFeatures(usual, fastDiff, false), objectMap | fastDiff);
});

test("what needs exclusive-lock is not left, or put, without it", () => {
  assert.throws(() => planFeatures(usual, exclusiveLock, false), /need exclusive-lock/);
  assert.throws(() => planFeatures(layering, objectMap, true), /need exclusive-lock/);
  const all = exclusiveLock | objectMap | fastDiff;
  assert.equal(planFeatures(usual, all, false), all);
  assert.equal(planFeatures(layering, all, true), all);
});

test("features that an image is made with stay, but deep-flatten can be given up", () => {
  assert.throws(() => planFeatures(usual, layering, false), /layering: cannot be disabled/);
  assert.throws(() => planFeatures(usual, striping, true), /striping: cannot be enabled/);
  assert.throws(() => planFeatures(layering, deepFlatten, true), /deep-flatten: cannot be enabled/);
  assert.equal(planFeatures(usual, deepFlatten, false), deepFlatten);
});

test("a change that is none is refused, as rbd does, and journals are left to rbd", () => {
  assert.throws(() => planFeatures(usual, fastDiff, true), /already enabled/);
  assert.throws(() => planFeatures(layering, exclusiveLock, false), /already disabled/);
  assert.throws(() => planFeatures(usual, 0, true), /no feature given/);
  assert.throws(() => planFeatures(usual, journaling, true), /does not support journals/);
});
