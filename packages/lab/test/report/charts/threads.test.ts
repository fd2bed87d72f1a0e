import assert from "node:assert/strict";
import { test } from "node:test";
import { columnLoads, threadColumns, threadsChart } from "../../../src/report/charts/threads.ts";
import type { MeasuredRung } from "../../../src/results/schema.ts";
import { exampleResults } from "../../fixtures/results.ts";
import { measured } from "../../fixtures/rungs.ts";

const ide = measured(exampleResults(), "ide");
const withThreads = (threads: Record<string, number>): MeasuredRung => ({
  ...ide,
  summary: { ...ide.summary, threads },
});

test("threads are ordered by their busiest rung, and idle ones stand together", () => {
  const rungs = [withThreads({ a: 10, b: 90, idle: 1, lazy: 0.5 }), withThreads({ a: 95, c: 5 })];
  const columns = threadColumns(rungs);
  assert.deepEqual(columns, ["a", "b", "c", "others"]);
  assert.deepEqual(columnLoads(rungs[0]!, columns), [10, 90, 0, 1.5]);
  assert.deepEqual(columnLoads(rungs[1]!, columns), [95, 0, 5, 0]);
});

test("a process of many threads keeps to ten columns and loses no load", () => {
  const rung = withThreads(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`worker-${i}`, 10 + i])));
  const columns = threadColumns([rung]);
  assert.equal(columns.length, 10);
  const sum = (loads: number[]) => loads.reduce((total, load) => total + load, 0);
  assert.equal(sum(columnLoads(rung, columns)), sum(Object.values(rung.summary.threads)));
});

test("without threads there is no chart", () => {
  assert.equal(threadsChart({ measured: [withThreads({})] }), undefined);
});
