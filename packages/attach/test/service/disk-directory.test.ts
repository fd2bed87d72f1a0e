import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { DiskDirectory } from "../../src/service/disk-directory.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-disks-"));
after(() => rmSync(directory, { recursive: true }));

test("files are written whole, for their owner alone, and removed", async () => {
  const disks = new DiskDirectory(join(directory, "made", "disks.d"));
  assert.deepEqual(await disks.names(), []);
  await disks.write("vm1", { image: "pool/vm1" });
  await disks.write("vm1", { image: "pool/vm2" });
  assert.deepEqual(await disks.names(), ["vm1"]);
  assert.deepEqual(await disks.find("vm1"), { image: "pool/vm2" });
  assert.equal(statSync(disks.pathOf("vm1")).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(disks.path), ["vm1.conf"]);
  await disks.remove("vm1");
  await disks.remove("vm1");
  assert.deepEqual(await disks.names(), []);
  assert.equal(await disks.find("vm1"), undefined);
});

test("a file that is none keeps no other from being read", async () => {
  const disks = new DiskDirectory(join(directory, "odd"));
  await disks.write("good", { image: "pool/vm1" });
  execFileSync("mkfifo", [join(disks.path, "fifo.conf")]);
  mkdirSync(join(disks.path, "directory.conf"));
  symlinkSync("/dev/zero", join(disks.path, "device.conf"));
  symlinkSync("nowhere", join(disks.path, "dangling.conf"));
  writeFileSync(join(disks.path, "large.conf"), Buffer.alloc(70_000, "#"));
  for (const other of [".good.conf", "good.conf.bak", "README"]) {
    writeFileSync(join(disks.path, other), "nonsense");
  }
  assert.deepEqual(await disks.names(), ["dangling", "device", "directory", "fifo", "good", "large"]);
  assert.deepEqual(await disks.find("good"), { image: "pool/vm1" });
  for (const name of ["device", "directory", "fifo"]) {
    assert.match(String(await disks.find(name)), /not a regular file/);
  }
  assert.match(String(await disks.find("dangling")), /ENOENT/);
  assert.match(String(await disks.find("large")), /more than 65536 bytes/);
});

test("a file that cannot be written stays as it was, and nothing is left beside it", async () => {
  const disks = new DiskDirectory(join(directory, "full"));
  await disks.write("vm1", { image: "pool/vm1" });
  symlinkSync("/dev/full", join(disks.path, ".vm1~"));
  await assert.rejects(disks.write("vm1", { image: "pool/vm2" }), {
    code: "SIPHON_ATTACH_DISK",
    message: /cannot write .*vm1\.conf: ENOSPC/,
  });
  assert.deepEqual(await disks.find("vm1"), { image: "pool/vm1" });
  assert.deepEqual(readdirSync(disks.path), ["vm1.conf"]);
});
