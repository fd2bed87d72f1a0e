import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { mergeKey, splitKey } from "../../src/encryption/af-splitter.ts";

for (const hash of ["sha1", "sha256", "sha512"]) {
  test(`a key that was split with ${hash} comes back, unless a single byte is missing`, () => {
    for (const keyBytes of [16, 32, 64]) {
      const key = randomBytes(keyBytes);
      const material = splitKey(key, 50, hash);
      assert.deepEqual(mergeKey(material, keyBytes, 50, hash), key);
      material[0]! ^= 1;
      assert.notDeepEqual(mergeKey(material, keyBytes, 50, hash), key);
    }
  });
}
