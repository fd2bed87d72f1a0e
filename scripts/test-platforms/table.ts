/**
 * Fills the tables of docs/platforms.md from docs/results/platforms.json, which `npm run test:platforms -- --record`
 * writes. `--check` writes nothing, and fails if a table differs from the record.
 */
import { fillPage } from "../filled-page.ts";
import { suites } from "./bare-root.ts";
import { type PlatformRecord, readRecord } from "./record.ts";

const record = readRecord();
const tables: { [name: string]: () => string } = {
  platforms: () =>
    table(
      ["platform", "Ceph", "QEMU", "libvirt", "its own node, npm", "npm test, whole", "test:platforms"],
      suites.flatMap((suite) => {
        const { parts, whole } = record[suite] ?? {};
        const latest = parts ?? whole;
        if (latest === undefined) return [];
        const { system, ceph, qemu, libvirt, node, npm } = latest.versions;
        return [[system, ceph, qemu, libvirt, `${node}, ${npm}`, wholeCell(whole), dated(parts)]];
      }),
    ),
  parts: () =>
    table(
      ["platform", "part", "found", "seconds"],
      suites.flatMap((suite) =>
        [record[suite]?.parts, record[suite]?.whole].flatMap((entry) =>
          (entry?.parts ?? []).map(({ name, found, seconds }) => [suite, name, found, `${seconds}`]),
        ),
      ),
    ),
};

fillPage("platforms", (name) => `${tables[name]!()}\n`, { script: "docs:platforms" });

function wholeCell(entry: PlatformRecord | undefined): string {
  const part = entry?.parts.find(({ name }) => name === "npm test");
  return part === undefined ? "not run" : `${part.found}, ${dated(entry)}`;
}

function dated(entry: PlatformRecord | undefined): string {
  return entry === undefined ? "not run" : `${entry.date.slice(0, 10)}, ${entry.commit}`;
}

function table(head: string[], rows: string[][]): string {
  if (rows.length === 0) return "Nothing recorded yet.";
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell || "-").join(" | ")} |`).join("\n");
}
