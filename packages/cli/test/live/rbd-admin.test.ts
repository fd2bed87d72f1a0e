import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LocalCluster } from "@siphon/lab";
import { printedTimes } from "../support/printed-times.ts";
import { type Answer, call, callSiphon } from "../support/programs.ts";

/** The same is done in two pools: with siphon in one, with rbd in the other. */
const pools = { siphon: "apple-pool", rbd: "peach-pool" };
let cluster: LocalCluster;

before(async () => {
  cluster = await LocalCluster.up({ name: "cli-rbd-admin", osds: 1, replicas: 1, store: "memstore", pgs: 8 });
  for (const pool of Object.values(pools)) {
    await succeeds(call("ceph", ["osd", "pool", "create", pool, "8", ...asAdmin()]));
  }
});

after(() => cluster?.down());

const asAdmin = () => ["--conf", cluster.conf, "--name", "client.admin"];
const rbd = (...args: string[]) => call("rbd", [...args, ...asAdmin()]);
const siphon = (...args: string[]) => callSiphon(["rbd", ...args, "--conf", cluster.conf]);

async function succeeds(answer: Promise<Answer>): Promise<string> {
  const { code, stdout, stderr } = await answer;
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Removes the differences between two runs of the same command: the pool's name, ids, times. */
function leveled(text: string, pool: string): string {
  return text
    .replaceAll(pool, "POOL")
    .replaceAll(/\b[0-9a-f]{9,14}\b/g, "ID")
    .replaceAll(printedTimes, "TIME")
    .replaceAll(/client\.\d+/g, "CLIENT")
    .replaceAll(/^(ID|CLIENT) +/gm, "$1 ");
}

/** Runs the same commands in both pools. `P` stands for the pool, `$NAME` for the id of an image in the trash. */
async function same(...lines: string[]): Promise<void> {
  for (const line of lines) {
    const [ours, theirs] = await Promise.all([
      words(line, pools.siphon).then((args) => siphon(...args)),
      words(line, pools.rbd).then((args) => rbd(...args)),
    ]);
    const said = leveled(asOldAs(theirs.stdout, ours.stdout), pools.siphon);
    assert.equal(said, leveled(theirs.stdout, pools.rbd), `${line}\n${ours.stderr}\n${theirs.stderr}`);
    assert.equal(ours.code, theirs.code, `${line}\n${ours.stderr}\n${theirs.stderr}`);
  }
}

/** siphon's output without what only releases newer than that of `theirs` print: an image's expiry, and a setting of Ceph 17. */
function asOldAs(theirs: string, ours: string): string {
  const said = theirs.includes("will expire at")
    ? ours
    : ours.replace(/^rbd: image .* will expire at .*\n/m, "");
  if (theirs.includes("rbd_qos_exclude_ops")) return said;
  return said
    .replace(/^rbd_qos_exclude_ops .*\n|\{"name":"rbd_qos_exclude_ops",.*?\},/m, "")
    .replace(/(?<=^There are )\d+(?= values:)/, (count) => String(Number(count) - 1));
}

async function words(line: string, pool: string): Promise<string[]> {
  const found: string[] = [];
  for (const word of line.split(" ")) {
    const [, name] = /^\$(\w+)$/.exec(word) ?? [];
    found.push(
      name === undefined ? word.replace(/^P(?=\/|$)/, pool) : `${pool}/${await trashedId(pool, name)}`,
    );
  }
  return found;
}

async function trashedId(pool: string, image: string): Promise<string> {
  const listed = JSON.parse(await succeeds(rbd("trash", "ls", pool, "--format", "json")));
  return (listed as { id: string; name: string }[]).find(({ name }) => name === image)!.id;
}

/** Compares rbd's view of the two pools. */
async function sameState(...lines: string[]): Promise<void> {
  for (const line of lines) {
    const [inOurs, inTheirs] = await Promise.all([
      rbd(...(await words(line, pools.siphon))),
      rbd(...(await words(line, pools.rbd))),
    ]);
    assert.equal(leveled(inOurs.stdout, pools.siphon), leveled(inTheirs.stdout, pools.rbd), line);
    assert.equal(inOurs.code, inTheirs.code, line);
  }
}

/** Makes the same images with rbd in both pools. */
async function prepare(...lines: string[]): Promise<void> {
  for (const line of lines) {
    await Promise.all(Object.values(pools).map(async (pool) => succeeds(rbd(...(await words(line, pool))))));
  }
}

test("pools are initialized and their statistics shown, namespaces are created and removed", async () => {
  await same("pool init P", "pool init P", "pool stats P", "pool init nope");
  await same("namespace create P/n1", "namespace create P/n1", "namespace create P --namespace n2");
  await same("namespace ls P", "namespace ls P --format json --pretty-format", "namespace create P");
  await same("create P/n1/i --size 1M", "namespace rm P/n1", "trash mv P/n1/i", "namespace rm P/n1");
  await same(
    "pool stats P/n1 --format json",
    "trash purge P/n1 --no-progress",
    "namespace rm P/n1",
    "namespace rm P/n1",
  );
  await sameState("namespace ls P --format json", "ls P");
});

test("images are renamed and copied, with snapshots and parents", async () => {
  await prepare("create P/a --size 20M", "bench P/a --io-type write --io-size 64K --io-total 1M");
  await prepare("snap create P/a@s1 --no-progress", "snap protect P/a@s1", "image-meta set P/a color green");
  await prepare("bench P/a --io-type write --io-size 8K --io-total 128K --io-pattern seq");
  await prepare("clone P/a@s1 P/child", "bench P/child --io-type write --io-size 4K --io-total 64K");
  await prepare(
    "snap create P/child@c1 --no-progress",
    "resize P/child --size 9M --allow-shrink --no-progress",
  );
  await same("mv P/a P/child", "mv P/nope P/x", "mv P/a P/b", "cp P/b P/copied --no-progress");
  await same(
    "cp P/b@s1 P/earlier --no-progress",
    "cp P/nope P/x",
    "cp P/b@nope P/x",
    "cp P/b P/copied --no-progress",
  );
  await same("deep cp P/b P/deep --no-progress", "deep cp P/child P/deepchild --no-progress");
  await same("deep cp P/b P/deep --no-progress", "deep cp P/child P/flatchild --flatten --no-progress");
  await sameState(
    "ls -l P --format json",
    "children P/b@s1",
    "image-meta ls P/copied",
    "image-meta ls P/deep",
  );
  for (const [copy, original] of [
    ["copied", "b"],
    ["earlier", "b@s1"],
    ["deep", "b"],
    ["deep@s1", "b@s1"],
    ["deepchild", "child"],
    ["deepchild@c1", "child@c1"],
    ["flatchild@c1", "child@c1"],
  ]) {
    const read = (image: string) => succeeds(rbd("export", `${pools.siphon}/${image}`, "-", "--no-progress"));
    assert.ok((await read(copy!)) === (await read(original!)), `${copy} is not ${original}`);
  }
  assert.match(await succeeds(rbd("du", `${pools.siphon}/deepchild`)), /deepchild@c1/);
});

test("images are moved to the trash, and restored or purged", async () => {
  await prepare("create P/t1 --size 8M", "create P/t2 --size 8M", "create P/t3 --size 8M");
  await same("trash mv P/t1", "trash mv P/nope", "trash mv P/t2 --expires-at 2040-01-01", "trash ls P");
  await same(
    "trash ls -l P",
    "trash ls -l P --format json",
    "trash ls P --format json --pretty-format",
    "pool stats P",
  );
  await same(
    "trash mv P/t3 --expires-at garbage",
    "trash rm $t2 --no-progress",
    "trash rm P/nope --no-progress",
  );
  await same("trash restore P/nope", "trash restore $t1 --image renamed", "trash mv P/renamed", "ls P");
  await prepare("create P/renamed --size 1M");
  await same(
    "trash restore $renamed",
    "trash purge P --threshold 2 --no-progress",
    "trash purge P --no-progress",
  );
  await same("trash ls P", "trash purge P --expired-before 2041-01-01 --no-progress", "trash ls P");
  await same(
    "trash mv P/deep",
    "trash rm $deep --no-progress",
    "trash purge P --no-progress",
    "trash restore $deep",
  );
  await prepare("snap create P/t3@s --no-progress", "clone P/t3@s P/t4 --rbd-default-clone-format 2");
  await same(
    "trash mv P/t4",
    "trash ls -l P",
    "children --all P/t3",
    "children P/t3",
    "rm P/t3 --no-progress",
  );
  await same("trash rm $t4 --no-progress");
  await sameState("ls -l P --format json", "trash ls -a P", "children --all P/t3");
  await prepare("create P/up --size 1M", "snap create P/up@s --no-progress");
  await prepare("clone P/up@s P/upc --rbd-default-clone-format 2", "snap rm P/up@s --no-progress");
  await prepare("rm P/up --no-progress --rbd-move-parent-to-trash-on-remove true", "trash mv P/upc");
  // The parent is removed with its last clone, in either order of removal.
  await same("trash purge P --no-progress");
  await sameState("trash ls -a P");
});

test("features of existing images are enabled and disabled", async () => {
  await prepare("create P/f --size 20M", "snap create P/f@s --no-progress");
  await same(
    "feature disable P/f fast-diff",
    "feature disable P/f object-map",
    "feature disable P/f exclusive-lock",
  );
  await sameState("info P/f", "lock ls P/f");
  await same(
    "feature enable P/f object-map",
    "feature enable P/f exclusive-lock object-map",
    "feature enable P/f fast-diff",
  );
  await same(
    "feature disable P/f exclusive-lock",
    "feature disable P/f layering",
    "feature enable P/f striping",
  );
  await sameState("info P/f", "info P/f@s");
  await same(
    "feature disable P/f deep-flatten",
    "feature enable P/f deep-flatten",
    "feature enable P/nope object-map",
  );
  await prepare("object-map rebuild P/f --no-progress", "object-map rebuild P/f@s --no-progress");
  await sameState("info P/f", "object-map check P/f --no-progress");
});

test("metadata and manual locks equal rbd's", async () => {
  await prepare("create P/m --size 1M");
  await same(
    "image-meta ls P/m",
    "image-meta ls P/m --format json",
    "image-meta set P/m k v",
    "image-meta ls P/m",
  );
  await same(
    "image-meta set P/m other value",
    "image-meta ls P/m --format json --pretty-format",
    "image-meta get P/m k",
  );
  await same(
    "image-meta get P/m none",
    "image-meta rm P/m none",
    "image-meta rm P/m k",
    "image-meta set P/m k",
  );
  await same(
    "lock add P/m one",
    "lock add P/m two",
    "lock add P/m two --shared t",
    "lock rm P/m none client.1",
  );
  const lockers = async (pool: string) =>
    JSON.parse(await succeeds(rbd("lock", "ls", `${pool}/m`, "--format", "json")));
  const [ours, theirs] = [await lockers(pools.siphon), await lockers(pools.rbd)];
  assert.equal(ours[0].id, theirs[0].id);
  await succeeds(siphon("lock", "rm", `${pools.siphon}/m`, "one", ours[0].locker));
  await succeeds(rbd("lock", "rm", `${pools.rbd}/m`, "one", theirs[0].locker));
  await same("lock add P/m a --shared t", "lock add P/m b --shared u", "lock ls P/nope");
  await sameState("image-meta ls P/m");
});

test("a destructive command first says what it would destroy", async () => {
  const pool = pools.siphon;
  await succeeds(rbd("create", `${pool}/dry`, "--size", "1M"));
  assert.equal(await succeeds(siphon("rm", `${pool}/dry`, "--dry-run")), `would remove image ${pool}/dry\n`);
  await succeeds(rbd("snap", "create", `${pool}/dry@s`, "--no-progress"));
  const wouldPurge = `would remove snapshot ${pool}/dry@s\n`;
  assert.equal(await succeeds(siphon("snap", "rm", `${pool}/dry@s`, "--dry-run")), wouldPurge);
  assert.equal(await succeeds(siphon("snap", "purge", `${pool}/dry`, "--dry-run")), wouldPurge);
  assert.match(await succeeds(siphon("flatten", `${pool}/dry`, "--dry-run")), /it has no parent/);
  const group = `${pool}/drys`;
  await succeeds(rbd("group", "create", group));
  await succeeds(rbd("group", "image", "add", group, `${pool}/dry`));
  await succeeds(rbd("group", "snap", "create", `${group}@s`));
  assert.deepEqual(
    await Promise.all([
      succeeds(siphon("group", "snap", "rollback", `${group}@s`, "--dry-run")),
      succeeds(siphon("group", "snap", "rm", `${group}@s`, "--dry-run")),
      succeeds(siphon("group", "rm", group, "--dry-run")),
    ]),
    [
      `would lose what was written since snapshot ${group}@s of 1 image\n`,
      `would remove snapshot ${group}@s of 1 image\n`,
      `would remove snapshot ${group}@s\nwould remove group ${group}\n`,
    ],
  );
  await succeeds(rbd("group", "rm", group));
  await succeeds(rbd("snap", "rm", `${pool}/dry@s`, "--no-progress"));
  await succeeds(rbd("trash", "mv", `${pool}/dry`));
  const id = await trashedId(pool, "dry");
  const wouldRemove = `would remove image ${pool}/dry (trash ${id})\n`;
  assert.equal(await succeeds(siphon("trash", "rm", `${pool}/${id}`, "--dry-run")), wouldRemove);
  assert.ok((await succeeds(siphon("trash", "purge", pool, "--dry-run"))).includes(wouldRemove));
  assert.equal(await trashedId(pool, "dry"), id);
});

test("the words that scripts look for are rbd's, and in one piece", async () => {
  const pool = pools.siphon;
  const [image, clone] = [`${pool}/worded`, `${pool}/worded-clone`];
  await succeeds(rbd("create", image, "--size", "1M"));
  await succeeds(rbd("snap", "create", `${image}@s`, "--no-progress"));
  await succeeds(rbd("clone", `${image}@s`, clone, "--rbd-default-clone-format", "2"));
  await succeeds(rbd("snap", "rm", `${image}@s`, "--no-progress"));
  const says = async (text: string, ...args: string[]) => {
    const { code, stderr } = await siphon(...args);
    assert.notEqual(code, 0);
    assert.ok(stderr.includes(text), stderr);
  };
  await says("image has snapshots with linked clones", "rm", image);
  await says("failed to open parent image", "clone", `${image}@none`, `${pool}/other`);
  const noSnapshot = "error setting snapshot context: (2) No such file or directory";
  await says(noSnapshot, "info", `${image}@none`);
  await succeeds(siphon("trash", "mv", image));
  const id = await trashedId(pool, "worded");
  assert.equal(await succeeds(siphon("children", "-p", pool, "--image-id", id)), `${clone}\n`);
  await says("some expired images could not be removed", "trash", "purge", pool);
  await succeeds(siphon("rm", clone, "--no-progress"));
  await succeeds(siphon("trash", "rm", `${pool}/${id}`, "--no-progress"));
});

test("settings are overridden for all clients, for a pool and for an image", async () => {
  await prepare("create P/c --size 1M");
  await same("config image ls P/c", "config pool ls P --format json", "config image set P/c rbd_cache true");
  await same(
    "config pool set P rbd_qos_iops_limit 7",
    "config image get P/c rbd_cache",
    "config pool get P rbd_cache",
  );
  await same(
    "config image ls P/c --format json",
    "config image set P/c rbd_cache no-way",
    "config pool ls P",
  );
  await same(
    "config image set P/c rbd_default_order 22",
    "config pool set P nonsense 1",
    "config image rm P/c rbd_cache",
  );
  await same(
    "config image rm P/c rbd_cache",
    "config pool rm P rbd_qos_iops_limit",
    "config global get client rbd_cache",
  );
  await same(
    "config global set client rbd_cache false",
    "config global ls client",
    "config global get client rbd_cache",
  );
  await same(
    "config global rm client rbd_cache",
    "config global set nobody rbd_cache 1",
    "config global set client foo 1",
  );
  await sameState("image-meta ls P/c");
});

test("an image that siphon does not support is one bad row in its pool's list, and a clear error by itself", async () => {
  const pool = "plum-pool";
  await succeeds(call("ceph", ["osd", "pool", "create", pool, "8", ...asAdmin()]));
  // 2^53 bytes, and the largest possible size.
  await succeeds(
    rbd("create", "--size", "8192T", "--object-size", "32M", "--image-feature", "layering", `${pool}/huge`),
  );
  for (const name of ["before", "when"]) await succeeds(siphon("create", "--size", "8M", `${pool}/${name}`));
  const listed = await siphon("ls", "-l", pool);
  assert.match(await succeeds(Promise.resolve(listed)), /before +8 MiB.*\nhuge +\? .*\nwhen +8 MiB/);
  assert.match(listed.stderr, /warning: siphon does not support the header of image huge/);
  const rows = JSON.parse(await succeeds(siphon("ls", "-l", "--format", "json", pool)));
  assert.deepEqual(
    rows.map(({ image, size }: { image: string; size?: number }) => [image, size]),
    [
      ["before", 8 << 20],
      ["huge", undefined],
      ["when", 8 << 20],
    ],
  );
  assert.match(
    await succeeds(siphon("pool", "stats", pool)),
    /Total Images: 3[\s\S]*Provisioned Size: 16 MiB/,
  );
  assert.match(await succeeds(siphon("du", "--pool", pool)), /before[\s\S]*when/);
  const info = await siphon("info", `${pool}/huge`);
  assert.equal(info.code, 75);
  assert.match(info.stderr, /supports images of up to 8 PiB/);
});
