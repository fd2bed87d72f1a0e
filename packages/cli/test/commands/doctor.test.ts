import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { HostReport } from "@siphon/lab";
import { main } from "../support/programs.ts";

/** A PATH with only a shell. */
const bare = mkdtempSync(join(tmpdir(), "siphon-cli-doctor-"));
symlinkSync("/bin/sh", join(bare, "sh"));
after(() => rmSync(bare, { recursive: true }));

function doctor(args: string[], env: Record<string, string> = {}) {
  const options = { env: { ...process.env, ...env }, encoding: "utf8" } as const;
  return spawnSync(process.execPath, [main, "doctor", "host", "--no-boot", ...args], options);
}

test("if the ladder can run, the exit code is 0, and --json prints every finding", () => {
  const { status, stdout } = doctor(["--json"]);
  assert.equal(status, 0);
  const { ready, sections } = JSON.parse(stdout) as HostReport;
  assert.equal(ready, true);
  assert.ok(sections.some(({ title }) => title === "librbd"));
});

test("if it cannot, the exit code is 1, and each missing program is listed with its purpose and package", () => {
  const { status, stdout } = doctor([], { PATH: bare });
  assert.equal(status, 1);
  assert.match(
    stdout,
    /missing +ceph-mon +not found\n +for: the monitor .*\n +fix: apt-get install ceph-mon, or: dnf/,
  );
  assert.match(stdout, /The ladder cannot run here/);
});
