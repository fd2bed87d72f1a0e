import type { DiskStatus } from "@siphon/attach";
import { bytesText, columns } from "../rados/format.ts";

/** The service's disks, one line each, and their problems. */
export function diskTable(disks: readonly DiskStatus[]): string {
  const head = ["disk", "image", "size", "state", "shard", "clients", "read", "write", "errors"];
  const rows = disks.map(({ name, image, size, state, shard, connections, io }) => [
    ...[name, image, size === undefined ? "-" : bytesText(size), state, shard ?? "-", connections],
    ...[bytesText(io.read.bytes), bytesText(io.write.bytes), errorsOf(io)],
  ]);
  const wrong = disks.flatMap(({ name, error }) => (error === undefined ? [] : [`${name}: ${error}\n`]));
  return columns([head, ...rows]) + wrong.join("");
}

/** Everything known about a disk. */
export function diskText(disk: DiskStatus): string {
  const { name, image, size, state, shard, error, persistent, file, limits, connections, inFlight, io } =
    disk;
  const lines = [
    ["disk", name],
    ["image", image],
    ["state", error === undefined ? state : `${state}: ${error}`],
    ...(size === undefined ? [] : [["size", bytesText(size)]]),
    ...(shard === undefined ? [] : [["shard", String(shard)]]),
    ["file", `${file} (${persistent ? "kept" : "until the machine restarts"})`],
    ["limits", limits === "" ? "none" : limits],
    ["clients", String(connections)],
    ["in flight", String(inFlight)],
  ] as const;
  const width = Math.max(...lines.map(([label]) => label!.length));
  const figures = Object.entries(io).map(([kind, { operations, bytes, errors, p50, p99 }]) => [
    ...[kind, operations, bytesText(bytes), errors, `${(p50 * 1000).toFixed(2)} ms`],
    `${(p99 * 1000).toFixed(2)} ms`,
  ]);
  const table = columns([["", "operations", "bytes", "errors", "p50", "p99"], ...figures]);
  return `${lines.map(([label, value]) => `${label!.padEnd(width)}  ${value}\n`).join("")}\n${table}`;
}

function errorsOf(io: DiskStatus["io"]): number {
  return Object.values(io).reduce((sum, { errors }) => sum + errors, 0);
}
