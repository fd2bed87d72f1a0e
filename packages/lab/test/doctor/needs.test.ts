import assert from "node:assert/strict";
import { test } from "node:test";
import { findNeed, lookAt, type Need, needs } from "../../src/doctor/needs.ts";

const absent: Need = {
  need: "a program",
  check: { program: "no-such-program", file: ["/no/such/*/file"] },
  ...{ apt: "a", dnf: "b", pacman: null },
  for: "nothing",
};

test("every requirement can be checked, says what it is for, and has a Debian package", () => {
  for (const { need, check, apt, for: purpose } of [...needs.run, ...needs.test]) {
    assert.ok(check.program || check.file, need);
    assert.ok(apt && purpose, need);
  }
});

test("programs are found in PATH and in /usr/sbin, files by pattern", () => {
  assert.match(findNeed({ program: ["no-such-program", "sh"] }) ?? "", /\/sh$/);
  assert.match(findNeed({ program: "/bin/sh" }) ?? "", /\/sh$/);
  assert.equal(findNeed({ file: ["/no/such/*", "/etc/os-relea*"] }), "/etc/os-release");
  assert.equal(findNeed(absent.check), undefined);
});

test("missing requirements name their packages; optional ones only limit", () => {
  const { status, packages } = lookAt(absent);
  assert.equal(status, "missing");
  assert.deepEqual(packages, { apt: "a", dnf: "b", pacman: null });
  assert.equal(lookAt({ ...absent, optional: true }).status, "limited");
});
