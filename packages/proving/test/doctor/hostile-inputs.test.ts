import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { examineDamaged, mutationKinds, wholeInputs } from "../../soak/doctor/hostile-inputs.ts";

const mutation = fc.record({
  kind: fc.constantFrom(...mutationKinds),
  at: fc.nat(2 ** 31 - 1),
  length: fc.nat(1000),
  value: fc.nat(1000),
});

test("damaged inputs of every format end in a result or an intended error, and no key is printed", {
  timeout: 240_000,
}, () => {
  const inputs = wholeInputs();
  fc.assert(
    fc.property(
      fc.nat(),
      fc.nat(7),
      fc.array(mutation, { minLength: 1, maxLength: 4 }),
      (which, file, mutations) => {
        assert.match(examineDamaged(inputs[which % inputs.length]!, file, mutations), /^(read|refused)$/);
      },
    ),
    { numRuns: 1500 },
  );
});

test("whole inputs are read", () => {
  for (const files of wholeInputs()) assert.equal(examineDamaged(files, 0, []), "read");
});
