import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { cpio } from "../../src/guest/cpio.ts";

/** Lists an archive with busybox's cpio(1). */
function list(archive: Uint8Array[]): string[] {
  const { stdout, status } = spawnSync("busybox", ["cpio", "-itv"], { input: Buffer.concat(archive) });
  assert.equal(status, 0);
  return stdout.toString().trim().split("\n");
}

test("cpio reads back every kind of file, with its mode, size and target", () => {
  const lines = list(
    cpio([
      { type: "file", path: "/init", mode: 0o755, data: Buffer.from("hello") },
      { type: "symlink", path: "/bin/sh", target: "/bin/busybox" },
      { type: "device", path: "/dev/console", major: 5, minor: 1 },
      { type: "directory", path: "/tmp", mode: 0o1777 },
    ]),
  );
  assert.match(lines[0], /^-rwxr-xr-x .* 5 .* init$/);
  assert.match(lines[1], /^drwxr-xr-x .* bin$/);
  assert.match(lines[2], /^lrwxrwxrwx .* bin\/sh -> \/bin\/busybox$/);
  assert.match(lines[3], /^drwxr-xr-x .* dev$/);
  assert.match(lines[4], /^crw------- .* dev\/console$/);
  assert.match(lines[5], /^drwxrwxrwt .* tmp$/);
});

test("data comes out as it went in, whatever its length is modulo four", () => {
  for (const length of [0, 1, 2, 3, 4, 5, 4096]) {
    const data = Buffer.alloc(length, "x");
    const archive = Buffer.concat(
      cpio([
        { type: "file", path: "/a", data },
        { type: "file", path: "/b", data: Buffer.from("after") },
      ]),
    );
    const { stdout } = spawnSync("busybox", ["cpio", "-i", "--to-stdout", "a"], { input: archive });
    assert.deepEqual(stdout, data);
    const after = spawnSync("busybox", ["cpio", "-i", "--to-stdout", "b"], { input: archive });
    assert.equal(after.stdout.toString(), "after");
  }
});

test("a directory given by hand keeps its mode when files in it follow", () => {
  const lines = list(
    cpio([
      { type: "directory", path: "/root", mode: 0o700 },
      { type: "file", path: "/root/x", data: Buffer.of() },
    ]),
  );
  assert.equal(lines.length, 2);
  assert.match(lines[0], /^drwx------ .* root$/);
});

test("equal entries give equal bytes", () => {
  const build = () => Buffer.concat(cpio([{ type: "file", path: "/a/b/c", data: Buffer.from("x") }]));
  assert.deepEqual(build(), build());
});
