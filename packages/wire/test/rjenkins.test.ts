import assert from "node:assert/strict";
import { test } from "node:test";
import { strHashRjenkins } from "../src/rjenkins.ts";

// Printed by `osdmaptool MAP --test-map-object NAME --pool 1` on a map made with
// `--createsimple 4 --with-default-pool --pg-bits 28 --pgp-bits 28`: its 2^30 PGs show 30 bits of the hash.
// The CRUSH hashes are tested through the placements that rest on them.
test("object names hash as in Ceph, at every length of the last part", () => {
  for (const [name, hash] of [
    ["a", 0x29eec818],
    ["ab", 0x1879ac41],
    ["abc", 0x251e4793],
    ["abcd", 0x1ae61fa5],
    ["abcde", 0x3a96866],
    ["abcdef", 0x1e922732],
    ["abcdefg", 0x39e6762c],
    ["abcdefgh", 0x53f775e],
    ["abcdefghi", 0x3a7b0a5f],
    ["abcdefghij", 0x9cac242],
    ["abcdefghijk", 0x252b8e4c],
    ["abcdefghijkl", 0xb1b3ea5],
    ["rbd_data.102b74b0dc51.0000000000000001", 0x14dd89c1],
    ["ééé", 0x1b4ef4c4],
  ] as const) {
    assert.equal(strHashRjenkins(Buffer.from(name)) & 0x3fffffff, hash, name);
  }
});

test("a hash is that of the given range of the bytes", () => {
  const bytes = Buffer.from("..rbd_data.1..");
  assert.equal(strHashRjenkins(bytes, 2, 12), strHashRjenkins(Buffer.from("rbd_data.1")));
});
