import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBaselineOptions } from "../../src/baseline/options.ts";
import { fioCommand } from "../../src/fio/command.ts";
import { parseLadderOptions } from "../../src/ladder/options.ts";
import { curveLoads } from "../../src/load/curve-options.ts";
import { mixInWords } from "../../src/report/charts/curves.ts";
import { curveOptions } from "../../src/report/sections/curves.ts";

test("depths make a curve of the load's own kind, in rising order; without them there is none", () => {
  const { depths } = parseLadderOptions({ depths: [64, 1, 16] });
  assert.deepEqual(curveLoads({ depths, rw: "randread" }), [
    { mix: "read", depth: 1, job: { rw: "randread", ioDepth: 1 } },
    { mix: "read", depth: 16, job: { rw: "randread", ioDepth: 16 } },
    { mix: "read", depth: 64, job: { rw: "randread", ioDepth: 64 } },
  ]);
  assert.deepEqual(curveLoads(parseLadderOptions({})), []);
});

test("a curve of sequential I/O is not named like one of random I/O", () => {
  const mixes = (["read", "write", "rw"] as const).map((rw) => curveLoads({ depths: [4], rw })[0]!.mix);
  assert.deepEqual(mixes, ["sequential-read", "sequential-write", "sequential-rw"]);
  assert.deepEqual(mixes.map(mixInWords), [
    "sequential reads",
    "sequential writes",
    "sequential reads and writes",
  ]);
  const none = { median: 1, low: 1, high: 1 };
  const point = {
    depth: 4,
    iops: none,
    latencyMean: none,
    latencyP50: none,
    latencyP99: none,
    clientCpuPerIo: none,
  };
  const options = curveOptions(mixes.map((mix) => ({ title: "a rung", curves: [{ mix, points: [point] }] })));
  assert.equal(options, "--depths 4", "--rw says the rest");
});

test("each mix has a curve of its own, and fio is told its share of reads", () => {
  const options = parseBaselineOptions({ depths: [4], mix: ["read", "write", "70/30"], rw: "write" });
  const loads = curveLoads(options);
  assert.deepEqual(
    loads.map(({ mix, job }) => [mix, job.rw]),
    [
      ["read", "randread"],
      ["write", "randwrite"],
      ["70/30", "randrw"],
    ],
  );
  const words = fioCommand({ filename: "/dev/vda", blockSize: 4096, ...loads[2]!.job });
  assert.ok(words.includes("--rw=randrw") && words.includes("--rwmixread=70"), words.join(" "));
  assert.ok(words.includes("--unified_rw_reporting=both"));
});

const refused: [{ depths?: number[]; mix?: string[] }, RegExp][] = [
  [{ depths: [0] }, /depths/],
  [{ depths: [Number.NaN] }, /depths/],
  [{ depths: [4, 4] }, /named twice/],
  [{ depths: [4], mix: ["70/40"] }, /no 100 %/],
  [{ depths: [4], mix: ["reads"] }, /mix/],
  [{ depths: [4], mix: ["read", "read"] }, /named twice/],
  [{ mix: ["read"] }, /no --depths/],
];

for (const [input, message] of refused) {
  test(`${JSON.stringify(input)} is refused by ladder and baseline`, () => {
    assert.throws(() => parseLadderOptions(input), { code: "SIPHON_USAGE", message });
    assert.throws(() => parseBaselineOptions(input), { code: "SIPHON_USAGE", message });
  });
}
