import { changeVerdict } from "../compare/compare-runs.ts";
import type { Run } from "../results/schema.ts";
import { cpuPerIo } from "../results/summarize.ts";
import { pairedRatio } from "../statistics/paired.ts";
import type { BaselineCell, BaselineComparison, MeasuredCell } from "./results.ts";

/**
 * Compares cells that differ in one thing: secure mode and messenger v1 against crc mode, other clients against librbd,
 * a client on larger clusters against the smallest. Paired by repeat, as they were interleaved.
 */
export function compareCells(cells: readonly BaselineCell[]): BaselineComparison[] {
  const measured = cells.filter((cell): cell is MeasuredCell => cell.status === "measured");
  const find = (wanted: Partial<MeasuredCell>) =>
    measured.find((cell) =>
      Object.entries(wanted).every(([key, value]) => cell[key as keyof MeasuredCell] === value),
    );
  const sizes = measured.flatMap(({ osds }) => osds ?? []);
  const smallest = sizes.length > 0 ? Math.min(...sizes) : undefined;
  return measured.flatMap((cell) => {
    const { osds, wire, engine } = cell;
    const pairs = [
      ["wire", wire === "v2-crc" ? undefined : find({ osds, engine, wire: "v2-crc" })],
      ["engine", engine === "librbd" ? undefined : find({ osds, wire, engine: "librbd" })],
      ["cluster", osds === smallest ? undefined : find({ osds: smallest, wire, engine })],
    ] as const;
    return pairs.flatMap(([by, against]) => (against ? (comparison(by, cell, against) ?? []) : []));
  });
}

function comparison(
  by: BaselineComparison["by"],
  cell: MeasuredCell,
  against: MeasuredCell,
): BaselineComparison | undefined {
  const before = new Map(against.runs.map((run) => [run.repeat, run]));
  const pairs = cell.runs.flatMap((after) => {
    const other = before.get(after.repeat);
    return other ? [{ before: other, after }] : [];
  });
  if (pairs.length === 0) return undefined;
  const change = (figure: (run: Run) => number, moreIsBetter: boolean) => {
    const ratio = pairedRatio(
      pairs.map((pair) => ({ before: figure(pair.before), after: figure(pair.after) })),
    );
    return { ratio, verdict: changeVerdict(ratio, pairs.length, moreIsBetter) };
  };
  const osdsSeen = pairs.every((pair) => pair.before.cpu.osds && pair.after.cpu.osds);
  return {
    by,
    cell: cell.name,
    against: against.name,
    iops: change(({ iops }) => iops, true),
    clientCpuPerIo: change(({ cpu, ios }) => cpuPerIo(cpu.client, ios), false),
    ...(osdsSeen && { osdCpuPerIo: change(({ cpu, ios }) => cpuPerIo(cpu.osds!, ios), false) }),
  };
}
