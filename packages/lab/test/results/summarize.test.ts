import assert from "node:assert/strict";
import { test } from "node:test";
import { markOutliers, summarize } from "../../src/results/summarize.ts";
import { exampleResults } from "../fixtures/results.ts";
import { measured } from "../fixtures/rungs.ts";

test("CPU per I/O is user and system time over the I/Os made, in microseconds", () => {
  const [run] = measured(exampleResults(), "ide").runs;
  const only = { ...run!, ios: 1000, cpu: { client: { user: 0.3, system: 0.1, threads: {} } } };
  const summary = summarize([only]);
  assert.deepEqual(summary.clientCpuPerIo, { median: 400, low: 400, high: 400 });
  assert.equal(summary.osdCpuPerIo, undefined);
});

test("OSD time counts from the repeats that saw it", () => {
  const [first, second] = measured(exampleResults(), "ide").runs;
  const blind = { ...second!, cpu: { client: second!.cpu.client } };
  const summary = summarize([first!, blind]);
  const osds = first!.cpu.osds!;
  assert.equal(summary.osdCpuPerIo?.median, ((osds.user + osds.system) * 1e6) / first!.ios);
});

test("thread load is percent of one core; a thread that a repeat did not see used none", () => {
  const [run] = measured(exampleResults(), "ide").runs;
  const withThreads = (threads: Record<string, number>) => ({
    ...run!,
    seconds: 10,
    cpu: { client: { user: 5, system: 5, threads } },
  });
  const summary = summarize([
    withThreads({ "msgr-worker-0": 9, rare: 4 }),
    withThreads({ "msgr-worker-0": 7 }),
  ]);
  assert.deepEqual(summary.threads, { "msgr-worker-0": 80, rare: 20 });
});

test("an outlier is marked and still counts", () => {
  const runs = measured(exampleResults(), "blockdev").runs;
  const marked = markOutliers(runs);
  assert.deepEqual(
    marked.map((run) => run.outlier),
    [false, false, true, false, false],
  );
  assert.equal(summarize(marked).iops.low, Math.min(...runs.map((run) => run.iops)));
});

test("no runs, no summary", () => {
  assert.throws(() => summarize([]), RangeError);
});
