import assert from "node:assert/strict";
import { test } from "node:test";
import {
  imagePerformance,
  type PerformanceReport,
  readReport,
} from "../../src/performance/image-performance.ts";

/** As a manager of Ceph 16.2 answered. */
const report: PerformanceReport = {
  stat_descriptors: ["write_ops", "read_ops", "write_bytes", "read_bytes", "write_latency", "read_latency"],
  pool_descriptors: { 0: "images", 1: "images/inner" },
  stats: [
    { "0/disk": [3038, 3039, 49774592, 49790976, 130749.98, 42605.77] },
    { "1/a/b": [1, 0, 512, 0, 7, 0] },
  ],
};

test("a report of the manager names images with their pools and namespaces, busiest first", () => {
  const [disk, deep] = readReport(report);
  assert.deepEqual([disk?.pool, disk?.namespace, disk?.image], ["images", "", "disk"]);
  assert.deepEqual([disk?.write_ops, disk?.read_bytes, disk?.read_latency], [3038, 49790976, 42605.77]);
  assert.deepEqual([deep?.pool, deep?.namespace, deep?.image], ["images", "inner", "a/b"]);
});

test("figures are found by their names, wherever a manager puts them, and those it lacks are 0", () => {
  const [disk] = readReport({
    stat_descriptors: ["later", "read_ops", "write_ops"],
    pool_descriptors: { 0: "images" },
    stats: [{ "0/disk": [9, 2, 1] }],
  });
  assert.deepEqual([disk?.write_ops, disk?.read_ops, disk?.write_latency], [1, 2, 0]);
});

test("pool and namespace become one word, and none stands for all pools", async () => {
  const asked: unknown[] = [];
  const cluster = {
    command: async ({ pool_spec, sort_by }: Record<string, unknown>) => {
      asked.push([pool_spec, sort_by]);
      return report;
    },
  };
  await imagePerformance(cluster);
  await imagePerformance(cluster, { pool: "p", sortBy: "read_bytes" });
  await imagePerformance(cluster, { pool: "p", namespace: "n" });
  assert.deepEqual(asked, [
    ["", "write_ops"],
    ["p", "read_bytes"],
    ["p/n", "write_ops"],
  ]);
});
