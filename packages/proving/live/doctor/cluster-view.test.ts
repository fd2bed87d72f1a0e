import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Examination } from "@siphon/doctor";
import { LocalCluster } from "@siphon/lab";
import { callSiphon } from "../../../cli/test/support/programs.ts";
import { kill } from "../../support/attach/run.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-doctor-view-"));
process.env.SIPHON_STATE_DIR = join(directory, "state");
const pool = "libvirt-pool";
const features = ["--image-feature", "layering,exclusive-lock,object-map,fast-diff"];
const children: ChildProcess[] = [];
let ceph: LocalCluster;

before(async () => {
  ceph = await LocalCluster.up({
    name: "view",
    osds: 3,
    replicas: 3,
    store: "bluestore",
    osdSize: 1 << 30,
    auth: "cephx",
    pgs: 8,
    // Seconds until a dead client no longer counts, and until inactive PGs are reported.
    settings: { osd_client_watch_timeout: 5, mon_pg_stuck_threshold: 5 },
  });
  await tell(`osd pool set ${pool} pg_autoscale_mode on`);
  await ceph.admin.rbd(["create", "--size", "16M", ...features, `${pool}/good`]);
});

after(async () => {
  for (const child of children) await kill(child);
  await ceph?.down();
  rmSync(directory, { recursive: true, force: true });
});

async function tell(...commands: string[]): Promise<void> {
  for (const command of commands) await ceph.admin.command(command.split(" "));
}

/** The doctor's findings about a VM whose only flaw is its image, by id. */
async function found(image: string, notSeen: RegExp | undefined = undefined): Promise<Map<string, string>> {
  const file = join(directory, "qemu.txt");
  const disk = `-drive file=rbd:${image}:id=vms,if=none,id=d0,cache=none,discard=on -device virtio-blk-pci,drive=d0,iothread=t`;
  writeFileSync(file, `/usr/bin/kvm -machine q35 -cpu host -object iothread,id=t ${disk}\n`);
  const { stdout, stderr, code } = await callSiphon(["doctor", "vm", file, "--conf", ceph.conf, "--json"]);
  assert.equal(code, 0, stderr);
  const { disks, vm, unseen } = JSON.parse(stdout) as Examination;
  if (notSeen === undefined) assert.deepEqual(unseen, []);
  else assert.match(unseen.join("\n"), notSeen);
  return new Map([...disks, vm].flatMap(({ findings }) => findings.map(({ id, why }) => [id, why] as const)));
}

/** Repeats the check until the finding appears: managers report health every few seconds. */
async function foundSoon(image: string, id: string): Promise<string> {
  for (let tries = 120; ; tries--) {
    const all = await found(image);
    if (all.has(id)) return all.get(id)!;
    assert.ok(tries > 0, `${id} is not among ${[...all.keys()]}`);
    await pause(500);
  }
}

/** Asserts that the findings are exactly `ids`. Waits for the PGs of a new pool, because health reports them until they are active. */
async function finds(image: string, ids: string[]): Promise<void> {
  for (let tries = 120; ; tries--) {
    const all = [...(await found(image)).keys()].sort();
    if (tries === 0 || !all.includes("pgs-inactive")) return assert.deepEqual(all, ids);
    await pause(500);
  }
}

function start(...args: string[]): ChildProcess {
  // `rbd watch` ends when its input does.
  const child = spawn("rbd", ["--conf", ceph.conf, "--id", "admin", ...args], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  children.push(child);
  return child;
}

const watchers = async (image: string) =>
  ((await ceph.admin.rbdJson(["status", `${pool}/${image}`])) as { watchers: unknown[] }).watchers.length;

test("a good image in a good pool adds nothing", async () => {
  await finds(`${pool}/good`, []);
});

test("features, object size, snapshots, settings and parents of an image", async () => {
  const rbd = (...args: string[]) => ceph.admin.rbd(args);
  await rbd("create", "--size", "16M", "--object-size", "1M", "--image-feature", "layering", `${pool}/plain`);
  await rbd("config", "image", "set", `${pool}/plain`, "rbd_cache", "true");
  for (let at = 0; at < 31; at++) await rbd("snap", "create", "--no-progress", `${pool}/plain@s${at}`);
  const plain = await found(`${pool}/plain`);
  assert.deepEqual([...plain.keys()].sort(), [
    ...["features-minimal", "object-size-odd", "setting-overridden", "snapshots-many"],
  ]);
  assert.match(plain.get("setting-overridden")!, /rbd_cache = true \(image\)/);
  assert.match(plain.get("snapshots-many")!, /31 snapshots/);

  await rbd(
    "create",
    "--size",
    "16M",
    "--image-feature",
    "layering,exclusive-lock,object-map,fast-diff,journaling",
    `${pool}/journal`,
  );
  await finds(`${pool}/journal`, ["journaling"]);

  for (const [parent, child] of [
    ["good", "middle"],
    ["middle", "top"],
  ]) {
    await rbd("snap", "create", "--no-progress", `${pool}/${parent}@base`);
    await rbd(
      "clone",
      "--rbd-default-clone-format",
      "2",
      ...features,
      `${pool}/${parent}@base`,
      `${pool}/${child}`,
    );
  }
  const top = await found(`${pool}/top`);
  assert.deepEqual([...top.keys()], ["clone-unflattened"]);
  assert.match(
    top.get("clone-unflattened")!,
    /a clone of libvirt-pool\/middle@base, the nearest of its 2 ancestors/,
  );
});

test("the lock of a client that died, and two watchers", async () => {
  await ceph.admin.rbd(["create", "--size", "16M", ...features, `${pool}/held`]);
  const writer = start("bench", `${pool}/held`, "--io-type", "write", "--io-total", "100G");
  const locked = async () => (await ceph.admin.rbdJson(["lock", "ls", `${pool}/held`])) as unknown[];
  while ((await locked()).length === 0) await pause(100);
  await kill(writer);
  while ((await watchers("held")) > 0) await pause(200);
  assert.match(
    (await found(`${pool}/held`)).get("lock-stale") ?? "",
    /client\.\d+ holds the lock and does not watch/,
  );

  for (const _ of [1, 2]) start("watch", `${pool}/good`);
  while ((await watchers("good")) < 2) await pause(100);
  await finds(`${pool}/good`, ["watchers-several"]);
  for (const child of children.splice(0)) await kill(child);
  while ((await watchers("good")) > 0) await pause(200);
});

test("pools: one PG, no autoscaler, one copy, settings, an erasure code without optimizations", async () => {
  await tell(
    "osd pool create one 1 1",
    "osd pool set one pg_autoscale_mode on",
    "osd pool application enable one rbd",
    "osd pool set one size 1 --yes-i-really-mean-it",
    "osd pool create fixed 4 4",
    "osd pool set fixed pg_autoscale_mode off",
    "osd pool application enable fixed rbd",
    "osd erasure-code-profile set small k=2 m=1 crush-failure-domain=osd",
    "osd pool create coded 4 4 erasure small",
    "osd pool set coded allow_ec_overwrites true",
    "osd pool set coded pg_autoscale_mode on",
    "osd pool application enable coded rbd",
  );
  for (const name of ["one", "fixed"])
    await ceph.admin.rbd(["create", "--size", "16M", ...features, `${name}/disk`]);
  await ceph.admin.rbd(["create", "--size", "16M", ...features, "--data-pool", "coded", `${pool}/coded`]);
  await ceph.admin.rbd(["config", "pool", "set", "fixed", "rbd_cache_max_dirty", "0"]);
  await finds("one/disk", ["pool-one-pg", "replica-one"]);
  const fixed = await found("fixed/disk");
  assert.deepEqual([...fixed.keys()].sort(), ["autoscaler-off", "setting-overridden"]);
  assert.match(fixed.get("setting-overridden")!, /rbd_cache_max_dirty = 0 \(pool\)/);
  await finds(`${pool}/coded`, ["erasure-unoptimized"]);
});

test("a pool under another CRUSH root than this host, whose PGs find no OSD", async () => {
  const host = hostname().split(".")[0]!;
  const nodes = ((await ceph.admin.command(["osd", "tree"])) as { nodes: { name: string; type: string }[] })
    .nodes;
  const placed = nodes.some(({ name, type }) => type === "host" && name === host);
  await tell(
    ...(placed ? [] : [`osd crush add-bucket ${host} host`, `osd crush move ${host} root=default`]),
    "osd crush add-bucket elsewhere root",
    "osd crush rule create-replicated there elsewhere osd",
    "osd pool create far 4 4",
    "osd pool set far pg_autoscale_mode on",
    "osd pool application enable far rbd",
  );
  await ceph.admin.rbd(["create", "--size", "16M", ...features, "far/disk"]);
  await finds("far/disk", []);
  await tell("osd pool set far crush_rule there");
  // The image does not answer, so the doctor must give up after a while.
  const far = await found("far/disk", /image far\/disk: no answer within 10 s/);
  // Health reports the inactive PGs too, once the monitor has noticed them.
  assert.deepEqual(
    [...far.keys()].filter((id) => id !== "pgs-inactive"),
    ["pool-other-root"],
  );
  assert.match(
    far.get("pool-other-root")!,
    /pool far takes its OSDs from elsewhere, and this host is under default/,
  );
  await tell("osd pool set far crush_rule replicated_rule");
});

test("PGs with too few copies to be active", async () => {
  await tell("osd pool create strict 4 4", "osd pool set strict size 3", "osd pool set strict min_size 3");
  await ceph.stopDaemon("osd.2");
  // This image's own PGs answer, but health covers the whole cluster.
  assert.match(await foundSoon(`${pool}/good`, "pgs-inactive"), /: \d+ pgs? (inactive|peering)/);
  await ceph.startDaemon("osd.2");
});

test("OSDs nearly full", async () => {
  await tell("osd set-nearfull-ratio 0.001");
  assert.match(await foundSoon(`${pool}/good`, "pool-nearfull"), /nearfull/);
});

test("a cluster that refuses the user is reported with the reason", async () => {
  const file = join(directory, "qemu.txt");
  const { code, stderr } = await callSiphon(["doctor", "vm", file, "--conf", ceph.conf, "--id", "nobody"]);
  assert.equal(code, 1);
  assert.match(stderr, /nobody/);
});
