import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { librbdFiles } from "../../src/evidence/librbd.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-doctor-librbd-"));
after(() => rmSync(directory, { recursive: true }));

function put(name: string, content: string): void {
  const path = join(directory, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, "latin1");
}

/** A library whose release crosses the boundary of the first read. */
const library = (release: string) => `\x7fELF${"x".repeat((1 << 20) - 8)}\0${release}\0more\x0012.2\0`;
const lib = "/usr/lib/x86_64-linux-gnu";

test("the release comes from the mapped library in the process's own root", async () => {
  put(`1/root${lib}/ceph/libceph-common.so.2`, library("17.2.9"));
  const maps = `7f01-7f02 r-xp 0 08:01 1 ${lib}/librbd.so.1.17.0\n7f03-7f04 r-xp 0 08:01 2 ${lib}/ceph/libceph-common.so.2\n`;
  assert.deepEqual(await librbdFiles(1, maps, directory), { release: "17.2.9" });
});

test("a replaced library gives the release that is mapped and the one that is installed", async () => {
  put("2/map_files/7f03-7f04", library("16.2.15"));
  put(`2/root${lib}/ceph/libceph-common.so.2`, library("18.2.7"));
  put(`2/root${lib}/librbd.so.1.18.0`, "");
  const maps = `7f01-7f02 r-xp 0 08:01 1 ${lib}/librbd.so.1.16.0 (deleted)\n7f03-7f04 r-xp 0 08:01 2 ${lib}/ceph/libceph-common.so.2 (deleted)\n`;
  assert.deepEqual(await librbdFiles(2, maps, directory), {
    release: "16.2.15",
    installed: "1.18.0 (Ceph 18.2.7)",
  });
});

test("a FIFO in a library's place does not block", { timeout: 20_000 }, async () => {
  put(`4/root${lib}/ceph/other`, "");
  execFileSync("mkfifo", [join(directory, `4/root${lib}/ceph/libceph-common.so.2`)]);
  const maps = `7f01-7f02 r-xp 0 08:01 1 ${lib}/librbd.so.1.17.0\n7f03-7f04 r-xp 0 08:01 2 ${lib}/ceph/libceph-common.so.2\n`;
  assert.deepEqual(await librbdFiles(4, maps, directory), {});
});

test("a library that cannot be read gives no release", async () => {
  const maps = `7f01-7f02 r-xp 0 08:01 1 ${lib}/none/librbd.so.1.16.0 (deleted)\n`;
  assert.deepEqual(await librbdFiles(3, maps, directory), {});
  assert.deepEqual(await librbdFiles(3, "7f01-7f02 r-xp 0 08:01 1 /usr/lib/libc.so.6\n", directory), {});
});
