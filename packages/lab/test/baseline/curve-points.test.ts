import assert from "node:assert/strict";
import { test } from "node:test";
import { measureCurves } from "../../src/baseline/curve-points.ts";
import type { Engine, Load } from "../../src/baseline/engine.ts";
import type { BaselineTarget } from "../../src/baseline/target.ts";
import { curveLoads } from "../../src/load/curve-options.ts";
import { run } from "./fixtures.ts";

test("each point is a run of its own, with its file; every other repeat goes the other way", async () => {
  const asked: [string, Load["rw"], number, number | undefined][] = [];
  const through: Pick<Engine, "load"> = {
    load: async (_target, { rw, ioDepth, seconds }, { file }) => {
      asked.push([file, rw, ioDepth, seconds]);
      return run(0, ioDepth * 100);
    },
  };
  const cell = { name: "cell", target: {} as BaselineTarget, through: through as Engine };
  const points = curveLoads({ depths: [1, 4], mix: ["70/30"], rw: "randread" });
  const load: Load = { rw: "randread", blockSize: 4096, ioDepth: 128, seconds: 2 };
  const measure = (repeat: number) =>
    measureCurves(cell, points, load, { directory: "/", signal: new AbortController().signal, repeat });
  assert.deepEqual(
    (await measure(0)).map(({ mix, depth, iops, cpu }) => [mix, depth, iops, cpu]),
    [
      ["70/30", 1, 100, 0.4],
      ["70/30", 4, 400, 0.4],
    ],
  );
  await measure(1);
  assert.deepEqual(asked, [
    ["fio/cell-1-70-30-1.json", "randrw", 1, 2],
    ["fio/cell-1-70-30-4.json", "randrw", 4, 2],
    ["fio/cell-2-70-30-4.json", "randrw", 4, 2],
    ["fio/cell-2-70-30-1.json", "randrw", 1, 2],
  ]);
});
