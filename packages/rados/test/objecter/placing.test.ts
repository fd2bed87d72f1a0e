import assert from "node:assert/strict";
import { test } from "node:test";
import { splitsOrMerges } from "../../src/objecter/placing.ts";
import { stableMod } from "../../src/osdmap/object-hash.ts";

test("a PG splits or merges where an object changes its PG, or shares it with others than before", () => {
  for (const [from, to] of [
    [8, 16],
    [8, 9],
    [12, 13],
    [12, 16],
    [1, 2],
    [3, 7],
    [6, 24],
    [7, 7],
  ] as const) {
    const gained = new Set<number>();
    for (let hash = 0; hash < 1024; hash++) {
      if (stableMod(hash, from) !== stableMod(hash, to)) gained.add(stableMod(hash, from));
    }
    for (let seed = 0; seed < from; seed++) {
      assert.equal(splitsOrMerges(seed, from, to), gained.has(seed), `PG ${seed} of ${from}, then of ${to}`);
      assert.equal(splitsOrMerges(seed, to, from), gained.has(seed), `PG ${seed} of ${to}, then of ${from}`);
    }
    for (let seed = from; seed < to; seed++) assert.ok(splitsOrMerges(seed, to, from));
  }
});
