import type { Power, Prospect } from "@siphon/lab";
import { plainTable } from "./plain-table.ts";

/** Numbers of blocks in the table, few enough to fit. */
const shown = [3, 4, 5, 6, 8, 10, 12, 16, 24, 32];

/** How long a run takes for each precision, for the terminal. */
export function powerTable(source: string, { prospects, enough }: Power, until: number | undefined): string {
  const rows = prospects.filter((each) => shown.includes(each.blocks) || each === enough);
  return [
    `Precision of the ratios between neighbours (95 %), estimated from the variation between the blocks of ${source}:`,
    "",
    plainTable(
      ["blocks", "minutes", "IOPS, median", "worst", "CPU per I/O, median", "worst"],
      rows.map(({ blocks, seconds, iops, cpuPerIo }) => [
        `${blocks}`,
        minutes(seconds),
        ...[iops.middle, iops.worst, cpuPerIo.middle, cpuPerIo.worst].map(reach),
      ]),
    ),
    ...(until === undefined ? [] : ["", answer(enough, until)]),
  ].join("\n");
}

function answer(enough: Prospect | undefined, until: number): string {
  if (!enough)
    return `All verdicts at ${reach(until)} take too long for any run: ask for less precision, or for fewer rungs.`;
  return `All verdicts at ${reach(until)} take about ${enough.blocks} blocks, ${minutes(enough.seconds)} minutes.`;
}

function minutes(seconds: number): string {
  return (seconds / 60).toFixed(seconds < 600 ? 1 : 0);
}

function reach(share: number): string {
  return `±${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}
