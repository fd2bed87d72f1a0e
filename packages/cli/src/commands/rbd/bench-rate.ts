import type { LoadOptions, LoadResult } from "@siphon/rbd";

/**
 * What a load at a given rate adds to the result, for the terminal.
 *
 * @param cpu microseconds of the process
 */
export function rateResult({ requests, behind, latency }: LoadResult, rate: number, cpu: number): string {
  const at = (percentile: number) => milliseconds(latency.percentile(percentile));
  const figures = [
    `p50: ${at(50)}`,
    `p99: ${at(99)}`,
    `p99.9: ${at(99.9)}`,
    `max: ${milliseconds(latency.max)}`,
  ];
  const lines = [
    `latency from arrival, ms: ${figures.join("   ")}   cpu us/op: ${(cpu / requests).toFixed(1)}`,
  ];
  if (behind > 0) {
    lines.push(
      `behind: ${behind} requests still waited for their turn: the image is slower than ${rate} a second`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** The same for JSON. */
export function rateJson(
  { requests, behind }: LoadResult,
  { rate, arrivals = "fixed" }: LoadOptions,
  cpu: number,
) {
  return { rate, arrivals, behind, cpu_us_per_op: cpu / requests };
}

function milliseconds(nanoseconds: number): string {
  return (nanoseconds / 1e6).toFixed(2);
}
