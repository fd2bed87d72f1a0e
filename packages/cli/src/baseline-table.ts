import { type BaselineResults, baselineHeadline, changeCell, format } from "@siphon/lab";
import { curveTable } from "./curve-table.ts";
import { plainTable } from "./plain-table.ts";

/** The result of a baseline, for the terminal. */
export function baselineTable(results: BaselineResults): string {
  const cells = results.cells.map((cell) => {
    if (cell.status !== "measured") return [cell.name, cell.status, "", "", "", ""];
    const { iops, latencyP99, clientCpuPerIo, osdCpuPerIo } = cell.summary;
    return [
      cell.name,
      format.count(iops.median),
      format.interval(iops),
      format.latency(latencyP99.median),
      format.cpuTime(clientCpuPerIo.median),
      osdCpuPerIo ? format.cpuTime(osdCpuPerIo.median) : "",
    ];
  });
  const compared = results.comparisons.map(({ cell, against, iops, clientCpuPerIo, osdCpuPerIo }) => [
    `${cell} against ${against}`,
    ...[iops, clientCpuPerIo, osdCpuPerIo].map(changeCell),
  ]);
  const reasons = results.cells.flatMap((cell) =>
    cell.status === "measured" ? [] : [`${cell.name} ${cell.status}: ${cell.reason}`],
  );
  const curves = curveTable(
    results.cells.flatMap((cell) => (cell.status === "measured" ? [{ title: cell.name, ...cell }] : [])),
  );
  return [
    baselineHeadline(results),
    "",
    plainTable(["cell", "IOPS", "95 % interval", "p99", "client CPU per I/O", "OSD CPU per I/O"], cells),
    ...(compared.length > 0
      ? ["", plainTable(["compared", "IOPS", "client CPU per I/O", "OSD CPU per I/O"], compared)]
      : []),
    ...(curves === undefined ? [] : ["", curves]),
    ...(reasons.length > 0 ? ["", ...reasons] : []),
  ].join("\n");
}
