import assert from "node:assert/strict";
import { test } from "node:test";
import { ceilings, measuredReads } from "../../src/crypto/ceiling.ts";
import { exampleResults } from "../fixtures/results.ts";
import { exampleCrypto } from "./fixtures.ts";

test("frames a second are the speed at 16 KiB in frames; threads carry as many times that", () => {
  const openssl = ceilings(exampleCrypto(), 3).find(({ source }) => source === "openssl")!;
  const frame = 16_384 / 4.2e9 + 300e-9;
  assert.ok(Math.abs(openssl.framesPerSecond.median * frame - 1) < 1e-9);
  assert.ok(Math.abs(openssl.microseconds - frame * 1e6) < 1e-9);
  assert.equal(openssl.iops, openssl.framesPerSecond.median * 3);
});

test("the study's figure gives its results: 246,000 chunks a second and about 120,000 to 130,000 IOPS", () => {
  const study = ceilings(exampleCrypto(), 3).find(({ source }) => source === "study")!;
  assert.equal(Math.round(study.framesPerSecond.median), 246_488);
  assert.ok(study.iopsAtShare.low < 120_000 && study.iopsAtShare.high > 130_000);
  assert.equal(study.shareAtMeasured, undefined);
});

test("a rung that was not measured has no ceiling", () => {
  const results = exampleCrypto();
  results.series = results.series.filter(({ source }) => source !== "evp");
  assert.deepEqual(
    ceilings(results, 3).map(({ source }) => source),
    ["openssl", "node", "study"],
  );
});

test("a run's encrypted reads are held against the ceilings, else its fastest", () => {
  const results = exampleResults();
  const secure = measuredReads(results);
  assert.ok(typeof secure === "object" && secure.encrypted);
  const [openssl] = ceilings(exampleCrypto(), 3, secure);
  assert.equal(openssl.shareAtMeasured, (secure.iops.median / openssl.iops) * 100);
  results.rungs = results.rungs.filter(({ name }) => name !== "secure");
  const fastest = measuredReads(results);
  assert.ok(typeof fastest === "object" && !fastest.encrypted);
  assert.equal(fastest.rung, "+ one librados thread");
});

test("a run of other work cannot be held against them", () => {
  const results = exampleResults();
  results.workload.blockSize = 4096;
  assert.equal(measuredReads(results), "the run did not read blocks of 16 KiB at random");
  assert.equal(measuredReads({ ...exampleResults(), rungs: [] }), "no rung of the run was measured");
});
