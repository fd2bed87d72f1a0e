import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import type { HostReport } from "../../src/doctor/finding.ts";
import { examineHost } from "../../src/doctor/host.ts";

const path = process.env.PATH;
const dir = mkdtempSync(join(tmpdir(), "siphon-doctor-"));
afterEach(() => {
  process.env.PATH = path;
});
after(() => rmSync(dir, { recursive: true }));

const find = ({ sections }: HostReport, name: string) =>
  sections.flatMap(({ findings }) => findings).find((finding) => finding.name === name);

test("a machine on which the tests run can run the ladder", async () => {
  const report = await examineHost({ bootGuest: false });
  const missing = report.sections.flatMap(({ findings }) =>
    findings.filter(({ status }) => status === "missing"),
  );
  assert.deepEqual(missing, []);
  assert.equal(report.ready, true);
  assert.equal(find(report, "QEMU's rbd driver")?.found, "it loads");
  assert.match(find(report, "processor")?.found ?? "", /\d+ cores?$/);
});

test("without Ceph, QEMU and fio it cannot, and the report says what to install for each", async () => {
  symlinkSync("/bin/sh", join(dir, "sh"));
  process.env.PATH = dir;
  const report = await examineHost({ bootGuest: false });
  assert.equal(report.ready, false);
  for (const name of ["ceph-mon", "qemu-system-x86_64", "fio", "QEMU's rbd driver", "fio's rbd engine"]) {
    const { status, packages } = find(report, name) ?? {};
    assert.equal(status, "missing", name);
    assert.ok(packages?.apt && packages.dnf, name);
  }
});

test("each failed check says what it is for and how to fix it", async () => {
  const { sections } = await examineHost({ bootGuest: false });
  for (const { name, status, for: purpose, fix, packages } of sections.flatMap(({ findings }) => findings)) {
    assert.ok(purpose, name);
    if (status !== "ok") assert.ok(fix ?? packages, name);
  }
});
