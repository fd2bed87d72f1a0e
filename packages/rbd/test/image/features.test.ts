import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImageHeader } from "../../src/header/image-header.ts";
import { assertReadable, assertWritable } from "../../src/image/features.ts";
import { featureNames, featureOf, imageFeature } from "../../src/index.ts";

/** An image with these features, all of which a client must know of. */
function headerWith(features: number): ImageHeader {
  return { name: "disk", features, incompatible: { toRead: features, toWrite: features } } as ImageHeader;
}

test("features are named as rbd names them, also those that nobody knows yet", () => {
  assert.deepEqual(featureNames(61 | 256), [
    "layering",
    "exclusive-lock",
    "object-map",
    "fast-diff",
    "deep-flatten",
    "operations",
  ]);
  assert.deepEqual(featureNames(2 ** 40), [`unknown feature ${2 ** 40}`]);
  assert.equal(featureOf("deep-flatten"), 32);
  assert.throws(() => featureOf("magic"), { code: "SIPHON_RBD_INVALID" });
});

test("images whose writes others must hear of are read, but not written to", () => {
  const { layering, journaling, nonPrimary, migrating } = imageFeature;
  const unsupported = { code: "SIPHON_RBD_UNSUPPORTED" };
  assertWritable(headerWith(61));
  for (const feature of [journaling, nonPrimary]) {
    assertReadable(headerWith(layering | feature));
    assert.throws(() => assertWritable(headerWith(layering | feature)), { ...unsupported, errno: -30 });
  }
  for (const feature of [migrating, 2 ** 20, 2 ** 40]) {
    assert.throws(() => assertReadable(headerWith(layering + feature)), unsupported);
  }
});

test("a feature that nobody has to know of is no hindrance", () => {
  const header = headerWith(61);
  assertReadable({ ...header, features: 61 + 2 ** 40 });
  assertWritable({ ...header, features: 61 + 2 ** 40 });
});
