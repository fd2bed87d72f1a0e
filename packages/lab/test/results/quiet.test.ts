import assert from "node:assert/strict";
import { test } from "node:test";
import { noiseWarning, quietInWords } from "../../src/report/quiet-words.ts";
import { quietOf } from "../../src/results/quiet.ts";
import { exampleResults } from "../fixtures/results.ts";

test("slices that others disturbed are counted, and those that were made again", () => {
  const results = exampleResults({ sliced: true });
  const runs = results.rungs.flatMap((rung) => (rung.status === "measured" ? rung.runs : []));
  const quiet = quietOf(results)!;
  assert.deepEqual(
    [quiet.slices, quiet.again, quiet.disturbed, quiet.foreign],
    [runs.length * 5, runs.length, 0, { middle: 0.02, most: 0.4 }],
  );
  assert.ok(
    quiet.speed.slow < 0 && quiet.speed.slow > -0.02 && quiet.speed.fast > 0 && quiet.speed.fast < 0.02,
  );
  assert.match(quietInWords(quiet).join(" "), new RegExp(`${runs.length} were repeated`));
  assert.equal(noiseWarning(quiet), undefined);
});

test("VMs that hung and were booted again are counted", () => {
  const results = exampleResults({ sliced: true });
  const [first, second] = results.rungs.flatMap((rung) => (rung.status === "measured" ? rung.runs : []));
  assert.doesNotMatch(quietInWords(quietOf(results)!).join(" "), /hung/);
  first!.bootedAgain = "the guest hangs";
  assert.match(quietInWords(quietOf(results)!).join(" "), /1 VM hung or crashed and was booted again/);
  second!.bootedAgain = "the guest hangs";
  assert.match(quietInWords(quietOf(results)!).join(" "), /2 VMs hung or crashed and were booted again/);
});

test("how far the processors were from each other is told where it was seen, and that they were moved", () => {
  const results = exampleResults({ sliced: true });
  const tables = results.rungs.flatMap((rung) =>
    rung.status === "measured" ? rung.runs.map(({ slices }) => slices!) : [],
  );
  assert.equal(quietOf(results)!.distance, undefined);
  // In the first slice of each run no second processor was free.
  for (const slices of tables) slices.distance = slices.foreign.map((_, at) => (at === 0 ? 0 : 80));
  assert.deepEqual(quietOf(results)!.distance, { near: 80, middle: 80, far: 80 });
  assert.match(
    quietInWords(quietOf(results)!).join(" "),
    /80 to 80 ns in nine of ten\. The effect is removed/,
  );
  for (const slices of tables) slices.distance![1] = 360;
  assert.match(
    quietInWords(quietOf(results)!).join(" "),
    /80 to 360 ns in nine of ten: the processors .* move/,
  );
});

test("a busy machine is told first", () => {
  const results = exampleResults({ sliced: true });
  for (const rung of results.rungs) {
    if (rung.status === "measured") for (const { slices } of rung.runs) slices!.steal.fill(0.2);
  }
  const quiet = quietOf(results)!;
  assert.equal(quiet.disturbed, quiet.slices - quiet.again);
  assert.match(noiseWarning(quiet)!, /busy: during 100/);
});

test("frequency, heat and memory of other nodes are told where the host shows them, and that it does not where it does not", () => {
  const results = exampleResults({ sliced: true });
  assert.match(
    quietInWords(quietOf(results)!).join(" "),
    /This host does not show its processors’ frequency, temperature and throttling\./,
  );
  for (const rung of results.rungs) {
    if (rung.status !== "measured") continue;
    for (const { slices } of rung.runs) {
      const like = (value: number) => slices!.foreign.map(() => value);
      Object.assign(slices!, {
        mhz: like(2400),
        celsius: like(71.4),
        throttled: like(0),
        remote: like(0.04),
      });
    }
  }
  const [hot] = results.rungs.flatMap((rung) => (rung.status === "measured" ? rung.runs : []));
  hot!.slices!.throttled![1] = 3;
  hot!.slices!.mhz![1] = 1200;
  const quiet = quietOf(results)!;
  assert.deepEqual(quiet.host, {
    mhz: { least: 1200, middle: 2400, most: 2400 },
    ...{ celsius: 71.4, throttled: 1, remote: 0.04 },
  });
  const words = quietInWords(quiet).join(" ");
  assert.match(words, /2,400 MHz in the middle slice, and between 1,200 and 2,400 MHz in all\./);
  assert.match(words, /71 °C at most\. During 1 slices .* throttled/);
  assert.match(words, /4\s% came from another NUMA node/);
  assert.doesNotMatch(words, /does not show/);
});

test("of runs that were made at one go nothing is said", () => {
  assert.equal(quietOf(exampleResults()), undefined);
});
