import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "@siphon/wire";
import { decodeIncremental } from "../../src/osdmap/incremental.ts";
import { osdMapVectors } from "../vectors/osdmaps.ts";

// That incrementals say the right thing is seen where they are applied.

const { incrementals } = osdMapVectors();

test("an incremental says which epoch it leads to", () => {
  for (const [epoch, bytes] of incrementals) assert.equal(decodeIncremental(bytes).epoch, epoch);
});

test("a bit changed anywhere is noticed", () => {
  const bytes = incrementals.get(60)!;
  for (let at = 6; at < bytes.length; at += 5) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 1 << (at % 8);
    assert.throws(() => decodeIncremental(damaged), WireError);
  }
});

test("the encoding of the first releases is refused by name", () => {
  assert.throws(
    () => decodeIncremental(Buffer.from([6, 0, 0, 0])),
    (error) => error instanceof WireError && error.code === "SIPHON_WIRE_INCOMPATIBLE",
  );
});
