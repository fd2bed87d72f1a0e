import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeSpeed } from "../../src/crypto/node.ts";
import { blockSizes } from "../../src/crypto/results.ts";

for (const fill of ["evp", "node"] as const) {
  test(`${fill}: frames of every size survive encryption and decryption, and the speed is told`, async () => {
    for (const size of blockSizes) {
      const { encrypt, decrypt } = await nodeSpeed({ fill, size, seconds: 0.02 });
      for (const speed of [encrypt, decrypt]) assert.ok(speed > 1e4 && speed < 1e11, `${size}: ${speed}`);
    }
  });
}

test("an abort ends the measurement", async () => {
  const stop = new AbortController();
  const speed = nodeSpeed({ fill: "node", size: 16, seconds: 3600, signal: stop.signal });
  setTimeout(() => stop.abort(), 20);
  await assert.rejects(speed, { name: "AbortError" });
});
