import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { main } from "../support/programs.ts";

function attach(...args: string[]) {
  return spawnSync(process.execPath, [main, "attach", ...args], { encoding: "utf8" });
}

test("an invalid image is refused before siphon looks for a cluster", () => {
  const { status, stderr } = attach("vm1", "--nbd", "/tmp/none.sock");
  assert.equal(status, 2);
  assert.match(stderr, /invalid image name vm1\n.*POOL\/IMAGE/);
});

test("a cluster that cannot be found is reported", () => {
  const { status, stderr } = attach("pool/vm1", "--nbd", "/tmp/none.sock", "--conf", "/nowhere/ceph.conf");
  assert.equal(status, 1);
  assert.match(stderr, /^siphon: .*\/nowhere\/ceph\.conf/);
});

test("images that cannot be spread over so many shards are refused before a shard starts", () => {
  const sockets = ["--nbd", "/tmp/none1.sock", "--nbd", "/tmp/none2.sock"];
  const { status, stderr } = attach("pool/vm1", "pool/vm2", ...sockets, "--shards", "3");
  assert.equal(status, 2);
  assert.match(stderr, /^siphon: 2 images cannot be spread over 3 shards\n.*at most 2 shards/);
});

test("a shard that cannot find its cluster says so, and all shards end", () => {
  const sockets = ["--nbd", "/tmp/none1.sock", "--nbd", "/tmp/none2.sock"];
  const conf = ["--conf", "/nowhere/ceph.conf"];
  const { status, stderr } = attach("pool/vm1", "pool/vm2", ...sockets, ...conf, "--shards", "2");
  assert.equal(status, 1);
  assert.match(stderr, /^siphon: .*\/nowhere\/ceph\.conf/);
});

test("an unknown socket owner or an invalid mode is refused before siphon looks for a cluster", () => {
  const nbd = ["pool/vm1", "--nbd", "/tmp/none.sock", "--conf", "/nowhere/ceph.conf"];
  for (const [option, said] of [
    ["--socket-user=nobody-of-this-name", /this machine has no user nobody-of-this-name/],
    ["--socket-group=nobody-of-this-name", /this machine has no group nobody-of-this-name/],
    ["--socket-mode=rw", /invalid socket mode rw\n.*octal digits/],
  ] as const) {
    const { status, stderr } = attach(...nbd, option);
    assert.equal(status, 2);
    assert.match(stderr, said);
  }
});

test("a TCP port takes no owner", () => {
  const ports = ["--nbd", "127.0.0.1:0", "--nbd", "127.0.0.1:0", "--shards", "2"];
  const { status, stderr } = attach("pool/vm1", "pool/vm2", ...ports, "--socket-mode", "660");
  assert.equal(status, 2);
  assert.match(stderr, /only unix sockets have an owner and a mode/);
});

test("a disk that may migrate takes no cache", () => {
  const sockets = ["--vhost", "/tmp/none1.sock", "--vhost", "/tmp/none2.sock", "--shards", "2"];
  const { status, stderr } = attach(
    "pool/vm1",
    "pool/vm2",
    ...sockets,
    "--migratable",
    "--cache",
    "writeback",
  );
  assert.equal(status, 2);
  assert.match(stderr, /a disk with a cache cannot migrate/);
});
