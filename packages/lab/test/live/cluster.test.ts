import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { parseConf } from "../../src/ceph/conf.ts";
import { LocalCluster } from "../../src/cluster/local-cluster.ts";
import { LabError } from "../../src/errors.ts";
import { run } from "../../src/host/command.ts";
import { processId } from "../../src/host/proc.ts";
import { createImage } from "../../src/image/image.ts";
import { TestStateDir } from "../support/state-dir.ts";

const state = new TestStateDir();
/** One OSD in memory, three monitors, cephx, crc and secure as the client likes. */
let any: LocalCluster;
/** The study's kind: bluestore, three copies, messenger v1, no authentication. */
let plain: LocalCluster;
const codeOf = (code: string) => (error: unknown) => error instanceof LabError && error.code === code;

before(async () => {
  // Whatever a user's shell says of another cluster must not matter.
  Object.assign(process.env, {
    CEPH_CONF: "/nowhere.conf",
    CEPH_ARGS: "--id nobody",
    CEPH_KEYRING: "/nowhere",
  });
  any = await LocalCluster.up({
    ...{ name: "any", osds: 1, mons: 3, store: "memstore", auth: "cephx", wire: "any", msgr: "both" },
    settings: { osd_max_write_size: 80 },
  });
  plain = await LocalCluster.up({ name: "plain", msgr: "v1", osdSize: 1024 ** 3 });
});

after(async () => {
  await any?.[Symbol.asyncDispose]();
  await plain?.[Symbol.asyncDispose]();
  await state[Symbol.asyncDispose]();
});

test("two clusters side by side know nothing of each other", async () => {
  assert.notEqual(any.fsid, plain.fsid);
  await createImage(any.client, { image: "here", size: 2 ** 20 });
  assert.deepEqual(await any.client.rbdJson(["ls", "libvirt-pool"]), ["here"]);
  assert.deepEqual(await plain.client.rbdJson(["ls", "libvirt-pool"]), []);
});

/** A cluster can be used a moment before its monitors have heard so from all. */
async function healthy(cluster: LocalCluster) {
  for (const deadline = Date.now() + 60_000; ; await sleep(200)) {
    const status = await cluster.status();
    const { health, pgs = {} } = status.ceph ?? {};
    if (health === "HEALTH_OK" && Object.keys(pgs).join() === "active+clean") return status;
    assert.ok(Date.now() < deadline, `${cluster.name} stays ${health}, ${JSON.stringify(pgs)}`);
  }
}

test("a cluster is healthy, with all OSDs up, all PGs active+clean and as many copies as asked for", async () => {
  const { ceph, daemons } = await healthy(plain);
  assert.deepEqual([ceph?.osdsUp, ceph?.osds, ceph?.pgs], [3, 3, { "active+clean": 32 }]);
  assert.deepEqual(
    daemons.map(({ name, state }) => `${name} ${state}`),
    ["mon.a running", "mgr.x running", "osd.0 running", "osd.1 running", "osd.2 running"],
  );
  const pool = await plain.admin.command(["osd", "pool", "get", "libvirt-pool", "size"]);
  assert.equal((pool as { size: number }).size, 3);
  await healthy(any);
  assert.equal(any.monPids.length, 3);
});

test("daemons run with the settings of the cluster, and say so for the report", async () => {
  const facts = Object.fromEntries((await plain.facts()).map(({ name, value }) => [name, value]));
  assert.match(facts.Ceph, /^\d+\.\d+/);
  assert.deepEqual(
    [facts["object store"], facts["ms_*_mode (all six)"], facts.auth_client_required, facts.ms_bind_msgr1],
    ["bluestore", "crc", "none", "true"],
  );
  assert.deepEqual([facts.rbd_cache, facts.osd_memory_target], ["false", `${2 ** 30}`]);
  const others = Object.fromEntries((await any.facts()).map(({ name, value }) => [name, value]));
  assert.deepEqual([others["object store"], others.auth_client_required], ["memstore", "cephx"]);
  assert.deepEqual([others["ms_*_mode (all six)"], others.osd_max_write_size], ["crc secure", "80"]);
  // OSDs would load no class from a relative directory, which Debian's 18.2 has by default.
  const classes = (await any.daemon("osd.0", { prefix: "config get", var: "osd_class_dir" })) as {
    osd_class_dir: string;
  };
  assert.ok(existsSync(`${classes.osd_class_dir}/libcls_rbd.so`), classes.osd_class_dir);
  assert.match(classes.osd_class_dir, /^\//);
  await assert.rejects(
    any.daemon("osd.0", { prefix: "config get", var: "no_such" }),
    codeOf("SIPHON_CLUSTER"),
  );
});

test("where the wire is any, a client speaks the mode that it asks for", async () => {
  for (const mode of ["crc", "secure"]) {
    const { path, text } = await any.clientConf(mode, { ms_client_mode: mode, ms_mon_client_mode: mode });
    assert.equal(parseConf(text)["client.libvirt"].ms_client_mode, mode);
    const args = ["--conf", path, "--id", "libvirt", "ls", "libvirt-pool"];
    const env = { CEPH_CONF: undefined, CEPH_ARGS: undefined, CEPH_KEYRING: undefined };
    const { stderr } = await run("rbd", [...args, "--debug-ms", "5", "--log-to-stderr", "true"], { env });
    const spoken = [...stderr.matchAll(/conn\(0x\w+ 0x\w+ (\w+) :-1 s=READY/g)].map(([, word]) => word);
    assert.deepEqual([...new Set(spoken)], [mode]);
  }
});

test("a cluster in secure mode accepts nothing else", async () => {
  await using cluster = await LocalCluster.up({
    ...{ name: "secure", osds: 1, store: "memstore", auth: "cephx", wire: "secure" },
  });
  await createImage(cluster.client, { image: "x", size: 2 ** 20 });
  const conf = (await cluster.clientConf("crc", { ms_client_mode: "crc", ms_mon_client_mode: "crc" })).path;
  await assert.rejects(
    cluster.client.with({ conf }).rbd(["ls", "libvirt-pool"]),
    codeOf("SIPHON_PERMISSION"),
  );
});

test("a cluster is found by its name by whoever looks, and its name is taken", async () => {
  const found = await LocalCluster.find("any");
  assert.deepEqual([found.fsid, found.osdPids], [any.fsid, any.osdPids]);
  assert.deepEqual(
    (await LocalCluster.list()).map(({ name }) => name),
    ["any", "plain"],
  );
  await assert.rejects(LocalCluster.find("none"), codeOf("SIPHON_NOT_FOUND"));
  await assert.rejects(LocalCluster.up({ name: "any" }), codeOf("SIPHON_IN_USE"));
});

test("OSDs and monitors can be killed and started again, which no watch takes for an accident", async () => {
  using watch = plain.watch();
  using watchAny = any.watch();
  const [before] = plain.osdPids;
  await plain.killDaemon("osd.0");
  assert.equal(plain.osdPids.length, 2);
  await plain.startDaemon("osd.0");
  assert.equal(plain.osdPids.length, 3);
  assert.ok(!plain.osdPids.includes(before));
  await any.stopDaemon("mon.b");
  assert.equal(any.monPids.length, 2);
  const { quorum_names } = (await any.admin.command(["quorum_status"])) as { quorum_names: string[] };
  assert.ok(quorum_names.length >= 2);
  await any.startDaemon("mon.b");
  assert.deepEqual([watch.signal.aborted, watchAny.signal.aborted], [false, false]);
  await assert.rejects(plain.killDaemon("osd.9"), codeOf("SIPHON_NOT_FOUND"));
});

test("a daemon that dies is noticed, also by a process that did not start it", {
  timeout: 60_000,
}, async () => {
  // As in another process: what it knows comes from the lease alone.
  using watch = (await LocalCluster.find("plain")).watch();
  process.kill(plain.osdPids[1], "SIGKILL");
  while (!watch.signal.aborted) await sleep(20);
  assert.ok(codeOf("SIPHON_DAEMON_DIED")(watch.signal.reason));
  assert.match((watch.signal.reason as Error).message, /^osd\.\d of the cluster plain has ended/);
  assert.equal(plain.daemons.filter(({ state }) => state === "died").length, 1);
});

test("down leaves no process and no file; with keep it leaves the files to be looked at", async () => {
  const pids = [...plain.osdPids, ...plain.monPids];
  await plain.down({ keep: true });
  assert.ok(pids.every((pid) => processId(pid) === undefined));
  assert.ok(existsSync(`${plain.resource.dir}/osd.0.log`));
  const kept = await LocalCluster.find("plain");
  assert.ok(kept.daemons.every(({ state }) => state === "stopped"));
  await kept.down();
  assert.ok(!existsSync(plain.resource.dir));
  await any.down();
  assert.deepEqual(state.running(), []);
});
