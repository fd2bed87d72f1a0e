import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hostileInputs } from "../../soak/rados/decoders.ts";
import { mutationKinds } from "../../soak/rados/mutations.ts";
import { readDamaged } from "../../soak/rados/read-hostile.ts";

const mutation = fc.record({
  kind: fc.constantFrom(...mutationKinds),
  at: fc.nat(2 ** 32 - 1),
  value: fc.oneof(fc.nat(256), fc.constantFrom(0x7fffffff, 0x80000000, 0xffffffff), fc.nat(2 ** 32 - 1)),
});

for (const input of hostileInputs()) {
  test(`valid bytes are read: ${input.name}`, () => {
    for (const seed of input.seeds) input.read(seed);
  });

  test(`damaged bytes are decoded or end in a typed error: ${input.name}`, { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        (seed, mutations, repaired) => {
          assert.match(readDamaged(input, seed, mutations, repaired), /^(read|refused)$/);
        },
      ),
      { numRuns: 1000 },
    );
  });
}
