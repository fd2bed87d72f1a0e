import assert from "node:assert/strict";
import { test } from "node:test";
import { measureCrypto } from "../../src/crypto/measure.ts";
import { blockSizes } from "../../src/crypto/results.ts";
import type { StepRunner } from "../../src/step.ts";

test("an interruption keeps the rounds that are done, and nothing of the one that is not", async () => {
  const stop = new AbortController();
  const titles: string[] = [];
  const step: StepRunner = (title, work) => {
    titles.push(title);
    return work(() => {
      if (titles.length === 2) stop.abort();
    });
  };
  const results = await measureCrypto({ seconds: 1, rounds: 3, seed: 1 }, { step, signal: stop.signal });
  assert.deepEqual(titles, ["Round 1 of 3", "Round 2 of 3"]);
  assert.equal(results.complete, false);
  assert.deepEqual(
    results.series.map(({ source, direction }) => `${source} ${direction}`),
    ["openssl decrypt", "openssl encrypt", "evp decrypt", "evp encrypt", "node decrypt", "node encrypt"],
  );
  for (const { speeds } of results.series) {
    assert.deepEqual(
      speeds.map(({ size, runs }) => [size, runs.length]),
      blockSizes.map((size) => [size, 1]),
    );
  }
});

test("an interruption of the first round leaves nothing to tell", async () => {
  const stop = new AbortController();
  const step: StepRunner = (_title, work) => work(() => stop.abort(new Error("enough")));
  const results = measureCrypto({ seconds: 1, rounds: 3, seed: 1 }, { step, signal: stop.signal });
  await assert.rejects(results, /enough/);
});
