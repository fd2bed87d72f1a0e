import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Severity } from "../../src/findings/finding.ts";
import type { InputFile } from "../../src/inputs/input.ts";

export interface Expected {
  platform: string;
  managedBy?: string;
  disks: { disk: string; rbd: boolean; findings: { id: string; severity: Severity }[]; mustNot: string[] }[];
  vm: { findings: { id: string; severity: Severity }[]; mustNot: string[] };
}

export interface Case {
  name: string;
  files: InputFile[];
  expected: Expected;
}

/** The cases in a directory: each is a directory with inputs and expected.json. */
export function readCases(directory: string): Case[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const inside = join(directory, name);
      const files = readdirSync(inside).filter((file) => file !== "expected.json");
      return {
        name,
        files: files.map((file) => ({ name: file, text: readFileSync(join(inside, file), "utf8") })),
        expected: JSON.parse(readFileSync(join(inside, "expected.json"), "utf8")),
      };
    });
}
