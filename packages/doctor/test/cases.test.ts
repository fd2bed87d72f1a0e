import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Examination } from "../src/examination.ts";
import { examine } from "../src/examine.ts";
import { severities } from "../src/findings/finding.ts";
import { type Expected, readCases } from "./support/case.ts";

for (const directory of ["cases", "more-cases"]) {
  describe(`typical VMs (${directory})`, () => {
    for (const { name, files, expected } of readCases(join(import.meta.dirname, directory))) {
      it(`${name}: has the expected findings and no false alarm`, () => {
        const found = examine(files);
        assert.equal(found.length, 1, "one examination");
        assert.deepEqual(differences(found[0]!, expected), []);
      });
    }
  });
}

/** Missing findings, false alarms, and findings whose severity differs by more than one step. */
function differences(found: Examination, expected: Expected): string[] {
  const wrong: string[] = [];
  if (found.platform !== expected.platform)
    wrong.push(`platform is ${found.platform}, not ${expected.platform}`);
  const compare = (where: string, got: { id: string; severity: string }[], want: Expected["vm"]) => {
    for (const { id, severity } of want.findings) {
      const hit = got.find((each) => each.id === id);
      if (hit === undefined) wrong.push(`${where}: ${id} is missing`);
      else if (Math.abs(severities.indexOf(hit.severity as never) - severities.indexOf(severity)) > 1)
        wrong.push(`${where}: ${id} is ${hit.severity}, not ${severity}`);
    }
    const wanted = want.findings.map(({ id }) => id);
    for (const { id } of got)
      if (want.mustNot.includes(id) || (want.mustNot.includes("*") && !wanted.includes(id)))
        wrong.push(`${where}: ${id} is a false alarm`);
  };
  for (const disk of expected.disks) {
    const got = found.disks.find((each) => each.disk === disk.disk);
    if (got === undefined) wrong.push(`there is no disk ${disk.disk}`);
    else {
      if (got.rbd !== disk.rbd) wrong.push(`${disk.disk}: rbd is ${got.rbd}`);
      compare(disk.disk, got.findings, disk);
    }
  }
  compare("vm", found.vm.findings, expected.vm);
  return wrong;
}
