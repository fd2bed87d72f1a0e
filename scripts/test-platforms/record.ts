import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Suite } from "./bare-root.ts";

/** The software on a platform. */
export interface Versions {
  /** `Debian 13 (trixie)` */
  system: string;
  ceph: string;
  qemu: string;
  libvirt: string;
  /** The system's own node and npm, which set-up starts with. */
  node: string;
  npm: string;
}

export interface PartRecord {
  name: string;
  seconds: number;
  /** `48 tests passed` */
  found: string;
}

export interface PlatformRecord {
  date: string;
  /** The commit that was tested. */
  commit: string;
  versions: Versions;
  parts: PartRecord[];
}

/** What was run on each platform: the parts of `npm run test:platforms`, and the whole of `npm test`. */
export type Record = { [suite in Suite]?: { parts?: PlatformRecord; whole?: PlatformRecord } };

const file = new URL("../../docs/results/platforms.json", import.meta.url);

export function readRecord(): Record {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record) : {};
}

export function writeRecord(suite: Suite, kind: "parts" | "whole", entry: PlatformRecord): void {
  const record = readRecord();
  record[suite] = { ...record[suite], [kind]: entry };
  writeFileSync(file, `${JSON.stringify(record, null, 2)}\n`);
}
