import { bytes, change, rounded } from "../../report/format.ts";
import type { DensityCell, DensityResults, MeasuredDensity } from "../results.ts";

/** The main finding in one sentence: the figures of the largest number of VMs, and siphon's effect on them. */
export function densityHeadline({ cells }: Pick<DensityResults, "cells">): string {
  const measured = cells.filter((cell): cell is MeasuredDensity => cell.status === "measured");
  if (measured.length === 0) return "Nothing could be measured.";
  const most = Math.max(...measured.map(({ vms }) => vms));
  const full = measured.filter(({ vms }) => vms === most);
  const best = full.reduce((a, b) => (b.summary.iops.median > a.summary.iops.median ? b : a));
  return `${best.title}: ${rounded(best.summary.iops.median)} IOPS together, ${bytes(Math.round(best.summary.memory.median / 2 ** 20) * 2 ** 20)} of memory each.`;
}

/** The difference of each way from the first, with the largest number of VMs, and its confidence. */
export function densitySentences({ cells }: Pick<DensityResults, "cells">): string[] {
  const most = Math.max(...cells.map(({ vms }) => vms));
  return cells.flatMap((cell) => {
    if (cell.status !== "measured" || cell.vms !== most || !cell.comparison) return [];
    const { iops, cpuPerIo, latencyP99, against } = cell.comparison;
    const other = titleOf(cells, against);
    const parts = [
      [iops, "IOPS"],
      [cpuPerIo, "CPU per I/O"],
      [latencyP99, "p99 latency"],
    ] as const;
    const words = parts.map(([{ ratio, verdict }, what]) => {
      const sure = verdict === "better" || verdict === "worse" ? "" : ` (${verdict})`;
      return `${change(ratio.median)} ${what}${sure}`;
    });
    return [`${cell.title}, against ${other}: ${words.join(", ")}.`];
  });
}

function titleOf(cells: readonly DensityCell[], name: string): string {
  return cells.find((cell) => cell.name === name)?.title ?? name;
}

export function densityWarnings({ complete, notes, accelerator }: DensityResults): string[] {
  return [
    ...notes,
    ...(complete || notes.length > 0
      ? []
      : ["This run was cut short; the report shows the measurements until then."]),
    ...(accelerator.name === "tcg"
      ? [
          `The guests ran under TCG, QEMU’s emulator: ${accelerator.reason}. Emulating them takes most of the CPU, so the ways differ less than they would under KVM.`,
        ]
      : []),
  ];
}
