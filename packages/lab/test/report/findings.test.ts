import assert from "node:assert/strict";
import { test } from "node:test";
import {
  costsInWords,
  findings,
  headline,
  listed,
  qualification,
  verdictInWords,
} from "../../src/report/findings.ts";
import type { Results } from "../../src/results/schema.ts";
import { exampleResults } from "../fixtures/results.ts";
import { measured } from "../fixtures/rungs.ts";

const results = exampleResults();
const plain = (text: string | undefined) => text?.replaceAll("\u00a0", " ");

/** The results with only these rungs. */
const only = (...names: string[]): Results => ({
  ...results,
  rungs: results.rungs.filter(({ name }) => names.includes(name)),
});

test("the headline names the best rung, its factor over the default and the study's", () => {
  assert.equal(
    headline(findings(results)),
    "The VM reaches 12,500 IOPS at “one librados thread”, 6.7 times the default; the study’s ladder rose 51 times.",
  );
});

test("without the default the headline says against what it counts", () => {
  const found = findings(only("virtio-blk", "cache-none"));
  assert.match(headline(found), /times as many as “virtio-blk”; the study’s ladder rose 5\.1 times/);
});

test("a first rung that the study did not measure has no factor of the study", () => {
  const found = findings(only("blockdev", "librados-threads"));
  assert.equal(found.study.size, 0);
  assert.doesNotMatch(headline(found), /study/);
});

test("when nothing beats the first rung, or nothing was measured, the headline says so", () => {
  assert.match(headline(findings(only("librados-threads", "secure"))), /no other rung is faster/);
  assert.equal(headline(findings(only("jemalloc", "new-librbd"))), "No rung could be measured.");
  assert.equal(qualification(findings(only("jemalloc"))), undefined);
});

test("rungs that the repeats do not tell apart from the best are named beside it", () => {
  const twin = { ...measured(results, "librados-threads"), name: "twin", title: "+ a twin" };
  const found = findings({ ...results, rungs: [...results.rungs, twin] });
  assert.ok(found.level.some(({ name }) => name === "twin"));
  assert.match(qualification(found)!, /do not tell it apart from .*“a twin”\./);
});

test("a skipped rung still shows how far the study rose there", () => {
  assert.equal(findings(results).study.get("new-librbd"), 126_000 / 2_484);
  assert.equal(findings(results).here.has("new-librbd"), false);
});

test("verdicts are put into words", () => {
  const words = (name: string) => plain(verdictInWords(measured(results, name), results.rungs));
  assert.equal(words("ide"), undefined);
  assert.match(words("virtio-blk")!, /^4\.5× the IOPS of “default \(IDE\)” \(95 % interval 4\.4 to 4\.6×\)$/);
  assert.match(words("iothread")!, /^19 % faster than “virtio-blk” \(/);
  assert.match(words("secure")!, /^28 % slower than “one librados thread” \(/);
  assert.match(words("blockdev")!, /^no significant difference from “tcmalloc” \(/);
  assert.match(words("multiqueue")!, /^(13|14) % slower than “q35” \(/);
});

test("what a rung saves is said beside its IOPS, and where the least CPU goes", () => {
  const costs = plain(costsInWords(measured(results, "virtio-blk")))!;
  assert.match(costs, /^CPU per I\/O −7\d % \(−7\d to −7\d %\), /);
  assert.equal(costsInWords(measured(results, "ide")), undefined);
  assert.match(
    plain(qualification(findings(results)))!,
    /“one librados thread” spends the least CPU per I\/O, \d+ µs: −\d+ % against “multiqueue”/,
  );
});

test("lists read as English", () => {
  assert.deepEqual(
    [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])],
    ["", "a", "a and b", "a, b and c"],
  );
});
