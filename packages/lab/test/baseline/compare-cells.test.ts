import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyRecord, exampleBaseline, plannedCell, run } from "./fixtures.ts";

test("secure mode is held against crc mode within each repeat: IOPS and the CPU of client and OSDs", () => {
  const wire = exampleBaseline().comparisons.find(({ by }) => by === "wire");
  assert.equal(wire?.cell, "1-osd-v2-secure-librbd");
  assert.equal(wire.against, "1-osd-v2-crc-librbd");
  assert.equal(wire.iops.verdict, "worse");
  assert.ok(Math.abs(wire.iops.ratio.median - 0.66) < 1e-9);
  assert.equal(wire.clientCpuPerIo.verdict, "worse");
  assert.ok(Math.abs(wire.clientCpuPerIo.ratio.median - 1.5) < 1e-9);
  assert.equal(wire.osdCpuPerIo?.verdict, "no significant difference");
});

test("kernel RBD is held against librbd, and larger clusters against the smallest, in whatever order they stand", () => {
  const cells = [plannedCell(3, "v2-crc", "librbd"), plannedCell(1, "v2-crc", "librbd")];
  const record = emptyRecord(cells);
  for (const [repeat, cell] of [0, 1].flatMap((each) => cells.map((cell) => [each, cell] as const))) {
    record.add(cell.name, run(repeat, cell.osds! * 1000, { osds: null }));
  }
  const [only, ...none] = record.results(true).comparisons;
  assert.deepEqual([only.by, only.cell, only.against], ["cluster", cells[0].name, cells[1].name]);
  assert.equal(only.iops.verdict, "too few repeats");
  assert.equal(only.osdCpuPerIo, undefined, "of OSDs that were not seen nothing is said");
  assert.deepEqual(none, []);
  const { comparisons } = exampleBaseline();
  assert.ok(comparisons.some(({ by, cell }) => by === "engine" && cell === "1-osd-v2-crc-krbd"));
});

test("a cell that failed at first is hopeless, one that failed later keeps its runs and says so", () => {
  const cells = [plannedCell(1, "v2-crc", "librbd"), plannedCell(1, "v2-crc", "krbd")];
  const [once, never] = cells.map(({ name }) => name);
  const record = emptyRecord(cells);
  record.add(once, run(0, 1000));
  record.fail(once, "it broke");
  record.fail(never, "it never worked");
  assert.deepEqual([record.isHopeless(once), record.isHopeless(never)], [false, true]);
  const [first, second] = record.results(false).cells;
  assert.ok(first.status === "measured" && first.note?.includes("it broke"));
  assert.ok(second.status === "failed" && second.reason === "it never worked");
});

test("every other client is held against librbd on the same cluster", () => {
  const cells = (["siphon", "librbd", "siphon-nbd"] as const).map((engine) =>
    plannedCell(1, "v2-crc", engine),
  );
  const record = emptyRecord(cells);
  for (const cell of cells) record.add(cell.name, run(0, 1000));
  assert.deepEqual(
    record.results(true).comparisons.map(({ by, cell, against }) => [by, cell, against]),
    ["siphon", "siphon-nbd"].map((engine) => ["engine", `1-osd-v2-crc-${engine}`, "1-osd-v2-crc-librbd"]),
  );
});
