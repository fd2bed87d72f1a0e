import assert from "node:assert/strict";
import { test } from "node:test";
import { strHashRjenkins } from "@siphon/wire";
import { RadosError } from "../../src/errors.ts";
import { decodeOsdMap } from "../../src/osdmap/decode.ts";
import { objectHash, stableMod } from "../../src/osdmap/object-hash.ts";
import { osdMapVectors } from "../vectors/osdmaps.ts";

const pool = decodeOsdMap(osdMapVectors().fulls.get(40)!).pools.get(1)!;
const hashOf = (text: string) => strHashRjenkins(Buffer.from(text));

test("a key takes the place of the name, a namespace goes before with a separator", () => {
  assert.equal(objectHash(pool, "name"), hashOf("name"));
  assert.equal(objectHash(pool, "name", { key: "key" }), hashOf("key"));
  assert.equal(objectHash(pool, "name", { namespace: "ns" }), hashOf("ns\x1fname"));
  assert.equal(objectHash(pool, "name", { namespace: "ns", key: "key" }), hashOf("ns\x1fkey"));
  assert.equal(objectHash(pool, "x".repeat(2000)), hashOf("x".repeat(2000)));
});

test("a pool that hashes in a way not known is refused", () => {
  assert.throws(() => objectHash({ ...pool, objectHash: 3 }, "name"), RadosError);
});

test("growing the number of bins only splits them", () => {
  for (let hash = 0; hash < 0xffffffff; hash += 0x01234567) {
    for (let count = 1; count < 70; count++) {
      const before = stableMod(hash, count);
      const after = stableMod(hash, count + 1);
      assert.ok(before < count);
      assert.ok(after === before || after === count);
    }
  }
});
