import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { furtherRungsOf, type ListedRung, rungsOf } from "@siphon/lab";
import { main } from "../support/programs.ts";

function list(...args: string[]) {
  return spawnSync(process.execPath, [main, "ladder", "--list", ...args], { encoding: "utf8" });
}

test("--list shows all rungs, and for each rung that this host cannot measure the reason; nothing starts", () => {
  const { status, stdout } = list("--cpus", "1", "--osds", "3", "--memory", "1024G", "--json");
  assert.equal(status, 0);
  const rungs = JSON.parse(stdout) as ListedRung[];
  const names = [...rungsOf("cumulative"), ...furtherRungsOf("cumulative")].map(({ name }) => name);
  assert.deepEqual(
    rungs.filter(({ why }) => why !== undefined).map(({ name }) => name),
    names,
  );
  const rung = (name: string) => rungs.find((each) => each.name === name)!;
  assert.equal(rung("read-from-replica").missing, undefined);
  assert.match(rung("huge-pages").missing!, /\d+ huge pages are needed|no huge pages/);
  assert.match(rung("iothread-vq-mapping").missing!, /needs (QEMU 9|two vCPUs)/);
  assert.deepEqual([rung("luks-qemu").on, rung("ide").on], ["luks-librbd", undefined]);
});

test("a configuration that is a rung on no host is listed with the reason, and refused by name with the same reason", () => {
  const listed = JSON.parse(list("--json").stdout) as ListedRung[];
  for (const name of ["qemu-storage-daemon", "krbd", "krbd-in-guest", "msgr-compression"]) {
    const { missing, source } = listed.find((rung) => rung.name === name)!;
    assert.ok(missing && source?.startsWith("https:"));
    const { status, stderr } = list("--rungs", name);
    assert.equal(status, 2);
    assert.ok(stderr.includes(`${name} is no rung: ${missing}`), stderr);
  }
});

test("the text output says what each rung is for, and what this host lacks", () => {
  const { status, stdout } = list();
  assert.equal(status, 0);
  assert.match(stdout, /\n {2}ide: default \(IDE\)\n {4}What a bare -drive gives/);
  assert.match(stdout, /\n {2}nvme: emulated NVMe in virtio-blk's place, changes librados-threads\n/);
  assert.match(stdout, /\n- read-from-replica: .*\n.*\n.*\n {4}Not on this host: needs two copies/);
  assert.match(stdout, /No rungs, on any host:\n\n- qemu-storage-daemon: .*\n {4}https:.*\n {4}Why: /);
  assert.match(list("--mode", "published").stdout, /blockdev-q35: blockdev and q35\n.*further step/);
});
