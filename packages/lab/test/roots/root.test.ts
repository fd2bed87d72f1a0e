import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { classDirectory } from "../../src/cluster/class-directory.ts";
import { host } from "../../src/host/platform.ts";
import { Root } from "../../src/roots/root.ts";
import { smallRoot } from "../support/small-root.ts";

const cache = mkdtempSync(join(tmpdir(), "siphon-cache-"));
process.env.SIPHON_CACHE_DIR = cache;
after(() => rmSync(cache, { recursive: true }));

const ceph = ["ceph-mon", "ceph-mgr", "ceph-osd", "monmaptool", "ceph", "rbd", "rados", "fio"];

test("a root without Ceph, or without QEMU, is refused in a sentence that says so", async () => {
  using small = await smallRoot();
  await assert.rejects(Root.find(small.directory, { uses: ["ceph"] }), {
    code: "SIPHON_MISSING_PROGRAM",
    message: `the root ${small.directory} has no Ceph`,
  });
  await assert.rejects(Root.find(small.directory, { uses: ["qemu"] }), { message: /has no QEMU$/ });
  assert.equal((await Root.find(small.directory)).directory, small.directory);
});

test("a root with half of Ceph is refused with what it lacks", async () => {
  using small = await smallRoot(ceph.filter((name) => name !== "ceph-osd" && name !== "rados"));
  await assert.rejects(Root.find(small.directory, { uses: ["ceph"] }), {
    message: `the root ${small.directory} has only a part of Ceph: it lacks ceph-osd, rados`,
  });
});

test("a root whose OSDs could load no class is refused", async () => {
  using small = await smallRoot(ceph);
  await assert.rejects(Root.find(small.directory, { uses: ["ceph"] }), {
    message: /lacks the OSDs' class rbd$/,
  });
});

test("a root of another processor is refused by name", async () => {
  using small = await smallRoot();
  const env = join(small.directory, "usr/bin/env");
  const elf = readFileSync(env);
  elf.writeUInt16LE(183, 18);
  rmSync(env);
  writeFileSync(env, elf);
  await assert.rejects(Root.find(small.directory), {
    code: "SIPHON_MISSING_PROGRAM",
    message: new RegExp(`${small.directory} is for the processor aarch64, and this machine is x86_64`),
  });
});

test("a directory without a system and an unknown name are reported as such", async () => {
  await assert.rejects(Root.find("/tmp"), { message: "/tmp is not the root directory of a system" });
  await assert.rejects(Root.find("reef"), { code: "SIPHON_NOT_FOUND", message: "there is no root reef" });
  await assert.rejects(Root.find("atlantis"), {
    code: "SIPHON_USAGE",
    message: /Debian suite called atlantis/,
  });
});

test("a program that a root does not have is not started", async () => {
  using small = await smallRoot();
  assert.throws(() => Root.at(small.directory).command("ceph-osd", []), {
    code: "SIPHON_MISSING_PROGRAM",
    message: `the root ${small.directory} has no program ceph-osd`,
  });
});

test("links in a root lead to files of the root, also absolute ones and those that climb", async () => {
  using small = await smallRoot();
  const { directory } = small;
  const root = Root.at(directory);
  mkdirSync(join(directory, "etc/alternatives"));
  symlinkSync("/etc/alternatives/x", join(directory, "usr/bin/x"));
  symlinkSync("../../../../../usr/bin/true", join(directory, "etc/alternatives/x"));
  assert.equal(root.file("/bin/x"), join(directory, "usr/bin/busybox"));
  symlinkSync("loop", join(directory, "usr/lib/loop"));
  assert.ok(root.file("/usr/lib/loop").startsWith(directory));
});

test("the class directory is named as OSDs of the root see it", async () => {
  using small = await smallRoot();
  const root = Root.at(small.directory);
  assert.equal(classDirectory(root), undefined);
  mkdirSync(join(small.directory, "usr/lib64/rados-classes"), { recursive: true });
  writeFileSync(join(small.directory, "usr/lib64/rados-classes/libcls_rbd.so"), "");
  assert.equal(classDirectory(root), "/usr/lib64/rados-classes");
  assert.match(classDirectory(host)!, /^\/usr\/lib.*\/rados-classes$/);
});
