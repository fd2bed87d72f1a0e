import { type DensityResults, densityHeadline, densitySentences, format } from "@siphon/lab";
import { plainTable } from "./plain-table.ts";

/** The result of a density run, for the terminal. */
export function densityTable(results: DensityResults): string {
  const rows = results.cells.map((cell) => {
    if (cell.status !== "measured") return [cell.title, cell.status, "", "", "", ""];
    const { iops, latencyP99, clientCpuPerIo, memory } = cell.summary;
    return [
      cell.title,
      format.count(iops.median),
      format.interval(iops),
      format.latency(latencyP99.median),
      format.cpuTime(clientCpuPerIo.median),
      `${Math.round(memory.median / 2 ** 20)} MiB`,
    ];
  });
  const reasons = results.cells.flatMap((cell) =>
    cell.status === "measured" ? [] : [`${cell.title} ${cell.status}: ${cell.reason}`],
  );
  const head = ["", "IOPS together", "95 % interval", "p99", "CPU per I/O", "memory per VM"];
  return [
    densityHeadline(results),
    "",
    plainTable(head, rows),
    "",
    ...densitySentences(results),
    ...reasons,
    ...(results.accelerator.name === "tcg"
      ? ["The guests were emulated (TCG): these figures rank the ways, but are not absolute."]
      : []),
  ]
    .join("\n")
    .replaceAll("\u00a0", " ");
}
