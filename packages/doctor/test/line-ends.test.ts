import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Examination } from "../src/examination.ts";
import { examine } from "../src/examine.ts";
import { fixFor } from "../src/fix/fix.ts";
import { readCases } from "./support/case.ts";

const mark = "\uFEFF";
const asWindowsSaves = (text: string) => mark + text.replace(/\r?\n/g, "\r\n").replace(mark, "");

describe("a file with Windows line ends and a byte order mark", () => {
  for (const directory of ["cases", "more-cases"])
    for (const { name, files } of readCases(join(import.meta.dirname, directory))) {
      const saved = files.map(({ name, text }) => ({ name, text: asWindowsSaves(text) }));

      it(`has the same findings at the same lines: ${name}`, () => {
        assert.deepEqual(examine(saved).map(found), examine(files).map(found));
      });

      it(`keeps both when a finding is fixed: ${name}`, () => {
        for (const id of new Set(
          examine(saved)
            .flatMap(found)
            .map((line) => line.split(" ")[1]!),
        ))
          for (const { name: changed, after } of fixFor(saved, id).patches) {
            assert.ok(after.startsWith(mark), `${id}: ${changed} has lost its mark`);
            assert.doesNotMatch(after, /[^\r]\n/, `${id}: ${changed} has lines with and without returns`);
          }
      });
    }
});

function found({ disks, vm }: Examination): string[] {
  return [
    ...disks.flatMap(({ disk, findings }) => findings.map(({ id, place }) => `${disk} ${id} ${place.line}`)),
    ...vm.findings.map(({ id, place }) => `vm ${id} ${place.line}`),
  ];
}
