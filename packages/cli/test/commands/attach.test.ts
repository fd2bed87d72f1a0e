import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

function attach(...args: string[]) {
  return spawnSync(process.execPath, [main, "attach", ...args], { encoding: "utf8" });
}

test("an image that is none is refused before any cluster is looked for", () => {
  const { status, stderr } = attach("vm1", "--nbd", "/tmp/none.sock");
  assert.equal(status, 2);
  assert.match(stderr, /vm1 names no image\n.*POOL\/IMAGE/);
});

test("a cluster that cannot be found is said so", () => {
  const { status, stderr } = attach("pool/vm1", "--nbd", "/tmp/none.sock", "--conf", "/nowhere/ceph.conf");
  assert.equal(status, 1);
  assert.match(stderr, /^siphon: .*\/nowhere\/ceph\.conf/);
});
