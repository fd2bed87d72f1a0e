import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { cephVersion, findLibrbds } from "../../src/doctor/librbd.ts";
import { versions } from "../../src/host/versions.ts";

test("the librbd that programs load has the version that rbd tells", async () => {
  const [first] = await findLibrbds();
  assert.equal(first.standard, true);
  assert.equal(first.ceph, (await versions()).ceph);
  assert.match(first.library ?? "", /^1\.\d+\.\d+$/);
});

test("a version is only what stands alone as one, and none is made up", () => {
  const dir = mkdtempSync(join(tmpdir(), "siphon-librbd-"));
  assert.equal(cephVersion(dir), undefined);
  mkdirSync(join(dir, "ceph"));
  const library = join(dir, "ceph", "libceph-common.so.2");
  writeFileSync(library, "\0" + "127.0.0.1\0boost 1.74.0\0" + "19.2.3-0ubuntu1\0squid\0");
  assert.equal(cephVersion(dir), "19.2.3-0ubuntu1");
  cpSync(library, join(dir, "libceph-common.so.2"));
  rmSync(join(dir, "ceph"), { recursive: true });
  assert.equal(cephVersion(dir), "19.2.3-0ubuntu1");
  rmSync(dir, { recursive: true });
});
