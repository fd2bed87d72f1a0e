import assert from "node:assert/strict";
import type { Examination } from "../../src/examination.ts";
import { examine } from "../../src/examine.ts";

/**
 * Examines files and compares the findings with a line such as `vda +cache-librbd-on -krbd; vm -accel-tcg`: + marks a required finding,
 * - a false alarm. `vda =a =b` allows exactly these findings on the disk, `vda =` none. `disks vda vdb` lists the disks.
 */
export function expectFindings(files: Record<string, string>, wanted: string): Examination {
  const inputs = Object.entries(files).map(([name, text]) => ({ name, text }));
  const [examination, ...more] = examine(inputs);
  assert.ok(examination !== undefined && more.length === 0, "one examination");
  for (const part of wanted.split(";")) {
    const [name, ...marks] = part.trim().split(/\s+/) as [string, ...string[]];
    if (name === "disks") {
      assert.deepEqual(
        examination.disks.map((each) => each.disk),
        marks,
      );
      continue;
    }
    const disk = examination.disks.find((each) => each.disk === name);
    const findings = name === "vm" ? examination.vm.findings : disk?.findings;
    assert.ok(findings, `there is no disk ${name} among ${examination.disks.map((each) => each.disk)}`);
    const ids = findings.map(({ id }) => id);
    for (const mark of marks) {
      const id = mark.slice(1);
      if (mark.startsWith("+")) assert.ok(ids.includes(id), `${name}: ${id} is missing among ${ids}`);
      if (mark.startsWith("-")) assert.ok(!ids.includes(id), `${name}: ${id} is a false alarm`);
    }
    const only = marks.filter((mark) => mark.startsWith("="));
    if (only.length > 0)
      assert.deepEqual(
        ids.sort(),
        only
          .map((mark) => mark.slice(1))
          .filter(Boolean)
          .sort(),
        name,
      );
  }
  return examination;
}
