import assert from "node:assert/strict";
import { test } from "node:test";
import { Operation } from "../../src/io/operation.ts";
import { WriteGate } from "../../src/io/write-gate.ts";

test("writes wait for a lock that was lost as soon as it was had, and it is asked for again", async () => {
  let asked = 0;
  const entered = Promise.withResolvers<number>();
  const gate: WriteGate = new WriteGate(
    () => entered.resolve(asked),
    async () => {
      asked++;
      gate.setOwner(asked > 1);
    },
  );
  gate.pause();
  gate.pass(new Operation());
  gate.resume();
  assert.equal(await entered.promise, 2);
  assert.ok(gate.open);
});
