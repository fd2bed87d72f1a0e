import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  hostQemuVersion,
  reconnectOption,
  versionsAlike,
  versionsText,
} from "../../src/server/qemu-version.ts";

const directory = mkdtempSync(join(tmpdir(), "qemu-version-"));
after(() => rmSync(directory, { recursive: true, force: true }));

test("the option to connect again is the one that the version has", () => {
  for (const version of ["2.12.0", "7.2.22", "9.1.50"]) {
    assert.deepEqual(reconnectOption(version), { reconnect: 1 }, version);
  }
  for (const version of ["9.2", "10.0.13", "11.1.3", "100.0.0", undefined]) {
    assert.deepEqual(reconnectOption(version), { "reconnect-ms": 1000 }, version);
  }
  assert.equal(versionsText(versionsAlike("7.2.22")), "QEMU from 4.2 on and before 9.2");
  assert.equal(versionsText(versionsAlike(undefined)), "QEMU 9.2 and newer");
});

test("the version is the one that the host's own QEMU says", async () => {
  const path = process.env.PATH;
  try {
    process.env.PATH = directory;
    const arch = process.arch === "arm64" ? "aarch64" : "x86_64";
    const program = join(directory, `qemu-system-${arch}`);
    writeFileSync(program, '#!/bin/sh\necho "QEMU emulator version 10.0.13 (Debian 1:10.0.13+ds-1)"\n');
    chmodSync(program, 0o755);
    assert.equal(await hostQemuVersion(), "10.0.13");
    writeFileSync(program, "#!/bin/sh\nexit 1\n");
    assert.equal(await hostQemuVersion(), undefined);
  } finally {
    process.env.PATH = path;
  }
});
