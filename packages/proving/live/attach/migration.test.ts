import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { LocalCluster } from "@siphon/lab";
import { Migrations } from "../../support/attach/migrations.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-migration-"));
chmodSync(directory, 0o755);
const ways = ["vhost", "nbd"] as const;

let ceph: LocalCluster;
let migrations: Migrations;

before(async () => {
  process.env.SIPHON_STATE_DIR = join(directory, "state");
  const spec = { osds: 1, replicas: 1, store: "memstore", auth: "cephx", pgs: 8 } as const;
  ceph = await LocalCluster.up({ name: "migration", ...spec });
  migrations = await Migrations.begin({ ceph, directory, ways });
});

after(async () => {
  await migrations?.[Symbol.asyncDispose]();
  await ceph?.down();
  rmSync(directory, { recursive: true, force: true });
});

const owners = () => Promise.all(ways.map((way) => migrations.lockOwner(way)));

test("a VM whose migration is cancelled runs on at its source", async () => {
  const before = await owners();
  await migrations.cancel("stopped");
  assert.deepEqual(await owners(), before);
});

test("a VM whose destination is lost runs on at its source", async () => {
  const before = await owners();
  await migrations.loseDestination("stopped");
  assert.deepEqual(await owners(), before);
});

test("a VM that migrates under load runs on at the destination, whose server takes over the lock", async () => {
  const before = await owners();
  await migrations.complete();
  const now = await owners();
  for (const [index, owner] of now.entries()) assert.notEqual(owner, before[index]);
});

test("post-copy is refused", async () => {
  assert.notEqual(await migrations.postCopyRefusal(), "");
});

test("VMs and servers end in order", () => migrations.end());
