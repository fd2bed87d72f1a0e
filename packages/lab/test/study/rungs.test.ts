import assert from "node:assert/strict";
import { test } from "node:test";
import { studyBiggerFigure } from "../../src/study/bigger.ts";
import { studyFigure } from "../../src/study/rungs.ts";

test("the study's ladder climbs from 2,484 to 126,000 IOPS, step by step", () => {
  const steps = ["ide", "virtio-blk", "iothread", "cache-none", "tcmalloc", "new-librbd"];
  assert.deepEqual(
    steps.map((step) => studyFigure("published", step)?.iops),
    [2_484, 24_900, 26_000, 53_500, 80_000, 126_000],
  );
});

test("where a cumulative rung differs from the study's step, the label says how", () => {
  assert.match(studyFigure("cumulative", "tcmalloc")!.label, /without the I\/O thread/);
  assert.doesNotMatch(studyFigure("published", "tcmalloc")!.label, /without/);
});

test("the last step is the study's blockdev test, which changed the machine type with it", () => {
  assert.equal(studyFigure("published", "blockdev-q35")?.iops, 119_200);
  assert.equal(studyFigure("cumulative", "q35")?.iops, 119_200);
  assert.equal(studyFigure("cumulative", "blockdev"), undefined);
});

test("rungs that the study did not climb have no figure", () => {
  for (const rung of ["jemalloc", "multiqueue", "librados-threads", "toString"]) {
    assert.equal(studyFigure("cumulative", rung), undefined);
  }
});

test("the bigger test's sequential fill ran at 2,429 MiB/s", () => {
  assert.equal(studyBiggerFigure("write")?.bytesPerSecond, 2_429 * 1024 * 1024);
  assert.deepEqual(
    [studyBiggerFigure("randread")?.iops, studyBiggerFigure("randwrite")?.iops],
    [123_000, 64_100],
  );
});

test("encrypted, the bigger test read at 87,000 IOPS; nothing is told of its writes", () => {
  assert.equal(studyBiggerFigure("randread", { encrypted: true })?.iops, 87_000);
  assert.equal(studyBiggerFigure("randwrite", { encrypted: true }), undefined);
});
