import { change, rounded } from "../../report/format.ts";
import { baselineByWire } from "../../study/figures.ts";
import { osdsInWords } from "../local-targets.ts";
import type { BaselineCell, BaselineComparison, BaselineResults, MeasuredCell } from "../results.ts";
import { wires } from "../wires.ts";

/** The measured cells, in plan order. */
export function measuredCells({ cells }: BaselineResults): MeasuredCell[] {
  return cells.filter((cell): cell is MeasuredCell => cell.status === "measured");
}

/** `3 OSDs`, or the name of an existing cluster. */
export function clusterTitle({ osds }: Pick<BaselineCell, "osds">): string {
  return osds === undefined ? "existing cluster" : osdsInWords(osds);
}

/** `librbd, 3 OSDs, v2, crc`, `krbd in a guest, 1 OSD, v2, crc`. */
export function cellTitle(cell: BaselineCell): string {
  return `${engineTitle(cell)}, ${clusterTitle(cell)}, ${wires[cell.wire].title}`;
}

function engineTitle(cell: BaselineCell): string {
  return cell.status === "measured" && cell.place === "guest" ? `${cell.engine} in a guest` : cell.engine;
}

/** The main finding in one sentence. */
export function baselineHeadline(results: BaselineResults): string {
  const best = measuredCells(results).toSorted((a, b) => b.summary.iops.median - a.summary.iops.median)[0];
  if (!best) return "Nothing could be measured.";
  const reached = `${engineTitle(best)} reaches ${rounded(best.summary.iops.median)} IOPS on ${clusterTitle(best)}`;
  const cost = encryptionCosts(results).find(({ cell }) => cellOf(results, cell)?.engine === "librbd");
  return `${reached}${cost ? `; ${costInWords(cost)}` : ""}.`;
}

/** Secure mode against crc mode, cell by cell. */
export function encryptionCosts(results: BaselineResults): BaselineComparison[] {
  return results.comparisons.filter(
    ({ by, cell }) => by === "wire" && cellOf(results, cell)?.wire === "v2-secure",
  );
}

/** The cost of encryption in the study's chart: the ratio of its bars. */
export const studyEncryption = baselineByWire[2].iops / baselineByWire[1].iops;

export function cellOf({ cells }: BaselineResults, name: string): BaselineCell | undefined {
  return cells.find((cell) => cell.name === name);
}

function costInWords({ iops: { ratio, verdict } }: BaselineComparison): string {
  switch (verdict) {
    case "worse":
      return `secure mode costs librbd ${change(ratio.median).replace("−", "")} of its IOPS`;
    case "better":
      return `librbd is faster in secure mode (${change(ratio.median)} IOPS)`;
    case "no significant difference":
      return "the repeats do not tell secure mode from crc mode";
    case "too few repeats":
      return `in secure mode ${change(ratio.median)} IOPS, with too few repeats to be sure`;
  }
}

/** Facts that a reader must know before the figures. */
export function baselineWarnings(results: BaselineResults): string[] {
  const { complete, notes, facts } = results;
  const inGuest = measuredCells(results).some(({ place }) => place === "guest");
  const accelerator = facts.guest.find(({ name }) => name === "accelerator")?.value;
  return [
    ...notes,
    ...(complete || notes.length > 0 ? [] : ["Not all of this run worked; what was measured is shown."]),
    ...(inGuest
      ? [
          `Kernel RBD ran inside a guest, on a network of this machine: this host's own kernel has none. The guest ran under ${accelerator}. Its figures hold the cost of that guest, and are not to be held against librbd's on the host.`,
        ]
      : []),
  ];
}
