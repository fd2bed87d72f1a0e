import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultFeatures, planImage } from "../../src/directory/create-image.ts";
import { imageFeature } from "../../src/index.ts";

const gib = 2 ** 30;

test("an image has objects of 4 MiB and the usual features, unless said otherwise", () => {
  assert.deepEqual(planImage(gib, {}), {
    ...{ size: gib, order: 22, features: defaultFeatures, stripeUnit: 2 ** 22, stripeCount: 1 },
  });
});

test("striping and a data pool bring their features along, and nothing else does", () => {
  const { layering, striping, dataPool } = imageFeature;
  const striped = planImage(gib, { features: layering, stripeUnit: 65_536, stripeCount: 4 });
  assert.equal(striped.features, layering | striping);
  assert.equal(planImage(gib, { features: layering, dataPool: "data" }).features, layering | dataPool);
  assert.equal(planImage(gib, { features: layering | striping | dataPool }).features, layering);
});

test("object-map and fast-diff come together, and need the lock", () => {
  const { exclusiveLock, objectMap, fastDiff } = imageFeature;
  assert.equal(
    planImage(gib, { features: exclusiveLock | fastDiff }).features,
    exclusiveLock | objectMap | fastDiff,
  );
  assert.throws(() => planImage(gib, { features: objectMap }), {
    code: "SIPHON_RBD_INVALID",
    message: /exclusive-lock/,
  });
});

test("sizes that no image can have are refused", () => {
  const refused = { code: "SIPHON_RBD_INVALID", errno: -22 };
  for (const size of [-1, 0.5, Number.NaN, 2 ** 60]) assert.throws(() => planImage(size, {}), refused);
  for (const objectSize of [2048, 5000, 2 ** 26])
    assert.throws(() => planImage(gib, { objectSize }), refused);
  assert.throws(() => planImage(gib, { stripeUnit: 5000, stripeCount: 2 }), refused);
  assert.throws(() => planImage(gib, { stripeCount: 0 }), refused);
});
