import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { CephClient } from "../../src/ceph/client.ts";
import { existingClusterFacts, requireWritable } from "../../src/ceph/existing.ts";
import { keyringText, newCephxKey } from "../../src/ceph/keyring.ts";
import { createUser } from "../../src/ceph/pool.ts";
import { clean } from "../../src/clean.ts";
import { LocalCluster } from "../../src/cluster/local-cluster.ts";
import { LabError } from "../../src/errors.ts";
import { run } from "../../src/host/command.ts";
import { createImage, imageExists, imageInfo, removeImage, resizeImage } from "../../src/image/image.ts";
import { importImage } from "../../src/image/import.ts";
import { prefillImage } from "../../src/image/prefill.ts";
import { RecordedImage } from "../../src/image/recorded.ts";
import { Resource } from "../../src/state/resource.ts";
import { TestStateDir } from "../support/state-dir.ts";

const MIB = 2 ** 20;
const state = new TestStateDir();
let cluster: LocalCluster;
/** The user of the pool, who has no admin caps: what an existing cluster gives. */
let client: CephClient;
const codeOf = (code: string) => (error: unknown) => error instanceof LabError && error.code === code;

before(async () => {
  cluster = await LocalCluster.up({
    name: "images",
    osds: 1,
    store: "memstore",
    auth: "cephx",
    osdSize: 2 ** 30,
    settings: { osd_client_watch_timeout: 12 },
  });
  client = cluster.client;
  await cluster.admin.rbd(["namespace", "create", "libvirt-pool/space"]);
});

after(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await state[Symbol.asyncDispose]();
});

/** Another user of the cluster, with the given caps. */
async function userWith(name: string, caps: Record<string, string>, key?: string): Promise<CephClient> {
  await using session = await cluster.admin.session();
  const made = await createUser(session, name, caps);
  writeFileSync(
    join(cluster.resource.dir, `client.${name}.keyring`),
    keyringText([{ name: `client.${name}`, key: key ?? made }]),
    { mode: 0o600 },
  );
  return client.with({ user: name });
}

test("an image is filled to its last byte with data that does not repeat", async () => {
  const size = 21 * MIB + 512;
  await createImage(client, { image: "full", size });
  await assert.rejects(createImage(client, { image: "full", size }), codeOf("SIPHON_IN_USE"));
  const seen: number[] = [];
  await prefillImage(client, { image: "full", onProgress: (done) => seen.push(done) });
  assert.equal(seen.at(-1), size);
  const file = join(state.dir, "full.raw");
  await client.rbd(["export", "--no-progress", "libvirt-pool/full", file]);
  const { stdout } = await run("sh", [
    "-c",
    'gzip -c "$1" | wc -c; tail -c 512 "$1" | tr -d "\\0" | wc -c',
    "sh",
    file,
  ]);
  const [packed, tail] = stdout.trim().split(/\s+/).map(Number);
  assert.ok(packed > size * 0.95, `${packed} bytes of ${size} after compression`);
  assert.ok(tail > 480, `${tail} of the last 512 bytes are not zero`);
});

test("an image in a namespace is filled, too", async () => {
  const space = client.with({ namespace: "space" });
  await createImage(space, { image: "full", size: 16 * MIB });
  await prefillImage(space, { image: "full" });
  const [used] = ((await space.rbdJson(["du", space.spec("full")])) as { images: { used_size: number }[] })
    .images;
  assert.equal(used.used_size, 16 * MIB);
});

test("what does not fit into the pool is refused instead of waiting for ever", async () => {
  await createImage(client, { image: "huge", size: 2 ** 40 });
  await assert.rejects(prefillImage(client, { image: "huge" }), codeOf("SIPHON_NO_SPACE"));
});

test("a qcow2 file is imported whole, larger when asked for", async () => {
  const raw = join(state.dir, "disk.raw");
  const file = join(state.dir, "disk, with: odd@name.qcow2");
  writeFileSync(raw, randomBytes(5 * MIB));
  await run("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, file]);
  const seen: number[] = [];
  const onProgress = (share: number) => seen.push(share);
  await importImage(client, { file, image: "disk", size: 8 * MIB, onProgress });
  assert.equal((await imageInfo(client, { image: "disk" })).size, 8 * MIB);
  assert.equal(seen.at(-1), 1);
  const back = join(state.dir, "back.raw");
  await client.rbd(["export", "--no-progress", "libvirt-pool/disk", back]);
  await run("cmp", ["-n", String(5 * MIB), raw, back]);
  await assert.rejects(importImage(client, { file, image: "disk" }), codeOf("SIPHON_IN_USE"));
  await assert.rejects(importImage(client, { file: "/nowhere", image: "x" }), codeOf("SIPHON_NOT_FOUND"));
  await assert.rejects(importImage(client, { file, image: "x", size: MIB }), codeOf("SIPHON_USAGE"));
});

test("an import that is aborted leaves no image and no record", async () => {
  const file = join(state.dir, "large.raw");
  await run("sh", ["-c", 'head -c 400M /dev/urandom > "$1"', "sh", file]);
  const controller = new AbortController();
  const reason = new Error("enough");
  const importing = importImage(client, {
    ...{ file, image: "large", signal: controller.signal },
    onProgress: () => controller.abort(reason),
  });
  await assert.rejects(importing, (error) => error === reason);
  const images = (await client.rbdJson(["ls", "libvirt-pool"])) as string[];
  assert.deepEqual(
    images.filter((name) => /large|import/.test(name)),
    [],
  );
  assert.deepEqual(await Resource.list("images"), []);
});

test("images grow, and shrink only when that is meant", async () => {
  await createImage(client, { image: "elastic", size: 4 * MIB });
  await resizeImage(client, { image: "elastic", size: 9 * MIB });
  await assert.rejects(resizeImage(client, { image: "elastic", size: MIB }), codeOf("SIPHON_REFUSED"));
  assert.equal((await imageInfo(client, { image: "elastic" })).size, 9 * MIB);
  await resizeImage(client, { image: "elastic", size: MIB, shrink: true });
  assert.equal((await imageInfo(client, { image: "elastic" })).size, MIB);
  await removeImage(client, { image: "elastic" });
  await removeImage(client, { image: "elastic" });
  await assert.rejects(imageInfo(client, { image: "elastic" }), codeOf("SIPHON_NOT_FOUND"));
});

test("a recorded image is removed when disposed of, and by clean when its maker is gone", async () => {
  let image: string;
  {
    await using made = await RecordedImage.create(client, { purpose: "test", size: MIB });
    image = made.image;
    assert.match(image, /^siphon-test-[0-9a-f]{8}$/);
    assert.deepEqual(await clean(), []);
    assert.ok(await imageExists(client, { image }));
  }
  assert.ok(!(await imageExists(client, { image })));

  const left = await RecordedImage.create(client, { purpose: "test", size: MIB });
  const record = (await Resource.find("images", left.image))!;
  // A crash leaves a record whose owner is no longer there.
  const lease = { kind: "images", name: left.image, created: record.created, details: record.details };
  writeFileSync(
    record.path("lease.json"),
    JSON.stringify({ ...lease, owner: { pid: 2 ** 22, startTime: 1 } }),
  );
  assert.deepEqual(
    (await clean()).map(({ name }) => name),
    [left.image],
  );
  assert.ok(!(await imageExists(client, { image: left.image })));
});

test("a recorded image that a killed client still watches is removed once the watch is over", async () => {
  const made = await RecordedImage.create(client, { purpose: "test", size: MIB });
  const spec = client.spec(made.image);
  // `rbd watch` ends with its input.
  const watching = spawn("rbd", ["--conf", cluster.conf, "--id", "admin", "watch", spec], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  const ended = once(watching, "exit");
  const watchers = async () =>
    ((await client.rbdJson(["status", spec])) as { watchers: unknown[] }).watchers.length;
  while ((await watchers()) === 0) await sleep(100);
  watching.kill("SIGKILL");
  await ended;
  assert.equal(await watchers(), 1);
  await made[Symbol.asyncDispose]();
  assert.equal(await imageExists(client, { image: made.image }), false);
  assert.deepEqual(await Resource.list("images"), []);
});

test("a user without admin caps passes the check of an existing cluster and learns what the report needs", async () => {
  await requireWritable(client);
  await requireWritable(client.with({ namespace: "space" }));
  assert.match(await cluster.admin.rados(["ls"]), /rbd_/);
  assert.doesNotMatch(await cluster.admin.rados(["ls"]), /siphon-probe/);
  const facts = Object.fromEntries(
    (await existingClusterFacts(client)).map(({ name, value }) => [name, value]),
  );
  assert.deepEqual([facts.OSDs, facts.replicas, facts["placement groups"]], ["1 (1 up)", "1", "32"]);
  assert.match(facts.Ceph, /ceph version/);
});

test("each thing that is missing on an existing cluster is named", { timeout: 120_000 }, async () => {
  const reader = await userWith("reader", {
    mon: "profile rbd",
    osd: "profile rbd-read-only pool=libvirt-pool",
  });
  await assert.rejects(requireWritable(reader), (error: LabError) => {
    assert.ok(codeOf("SIPHON_PERMISSION")(error), error.message);
    assert.match(error.message, /client\.reader may not/);
    assert.match(error.hint!, /ceph auth caps client\.reader .*profile rbd pool=libvirt-pool/);
    return true;
  });
  const elsewhere = await userWith("elsewhere", { mon: "profile rbd", osd: "profile rbd pool=other" });
  await assert.rejects(requireWritable(elsewhere), codeOf("SIPHON_PERMISSION"));
  const wrong = await userWith("wrong", { mon: "profile rbd" }, newCephxKey("aes"));
  await assert.rejects(requireWritable(wrong), /does not accept the key of client\.wrong/);
  await assert.rejects(requireWritable(client.with({ user: "nobody" })), /no key for client\.nobody/);
  await assert.rejects(requireWritable(client.with({ pool: "none" })), /there is no pool none/);
  await assert.rejects(
    requireWritable(client.with({ conf: "/nowhere.conf" })),
    /cannot read \/nowhere\.conf/,
  );
  await assert.rejects(
    cluster.client.command(["osd", "pool", "create", "mine"]),
    codeOf("SIPHON_PERMISSION"),
  );
  const lost = join(state.dir, "lost.conf");
  // Port 9, "discard", at an address where nobody listens.
  writeFileSync(
    lost,
    "[global]\nmon_host = [v2:127.0.0.1:9]\nauth_client_required = none\nclient_mount_timeout = 2\n",
  );
  await assert.rejects(client.with({ conf: lost }).command(["status"]), codeOf("SIPHON_TIMEOUT"));
});
