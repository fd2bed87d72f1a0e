import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CephClient } from "../../src/ceph/client.ts";
import { LocalCluster } from "../../src/cluster/local-cluster.ts";
import { LabError } from "../../src/errors.ts";
import { smallGuest } from "../../src/guest/small.ts";
import { createImage } from "../../src/image/image.ts";
import { planVm, startPlanned, type VmRequest } from "../../src/vm/by-hand.ts";
import { listVms } from "../../src/vm/kept.ts";
import { Vm } from "../../src/vm/vm.ts";
import { TestStateDir } from "../support/state-dir.ts";

const stateDir = new TestStateDir();
let cluster: LocalCluster;

before(async () => {
  cluster = await LocalCluster.up({ name: "vm-rbd", osds: 1, store: "memstore", auth: "cephx" });
  await createImage(cluster.client, { image: "vm1", size: 64 << 20 });
});

after(async () => {
  await cluster?.down();
  assert.deepEqual(stateDir.running(), []);
  await stateDir[Symbol.asyncDispose]();
});

const plan = (rung: string, change: Partial<VmRequest> = {}) =>
  planVm({
    rung,
    mode: "cumulative",
    disk: { client: cluster.client, image: "vm1" },
    accel: "tcg",
    cpus: 2,
    memoryMiB: 512,
    ...change,
  });

/** Pids of the processes that this one has started. */
const children = () => readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8");

/** The content of the image, as Ceph's own client reads it. */
async function exported(): Promise<string> {
  const file = join(stateDir.dir, crypto.randomUUID());
  await cluster.client.rbd(["export", "--no-progress", cluster.client.spec("vm1"), file]);
  return createHash("md5").update(readFileSync(file)).digest("hex");
}

test("what a guest writes is in the image once its VM is shut down, librbd's cache or not", async () => {
  // Also the least memory that the guest asks for.
  const { leastMemoryMiB: memoryMiB } = await smallGuest();
  await using vm = await Vm.start(await plan("iothread", { memoryMiB }));
  const write = `dd if=/dev/urandom of=${vm.device} bs=1M count=64 2>/dev/null && sync && md5sum <${vm.device}`;
  const { stdout } = await vm.run(write);
  assert.match(vm.command.options.flat().join(" "), /file=rbd:libvirt-pool\/vm1:id=libvirt:conf=/);
  await vm.shutdown();
  assert.equal(await exported(), stdout.split(" ")[0]);
});

test("on siphon's rungs the image is served by siphon, for as long as the VM is there", async () => {
  const before = children();
  for (const rung of ["siphon-nbd", "siphon-vhost"]) {
    await using vm = await startPlanned(await plan(rung));
    assert.doesNotMatch(vm.command.options.flat().join(" "), /rbd/);
    const { stdout } = await vm.run(
      `dd if=/dev/urandom of=${vm.device} bs=1M count=8 && md5sum <${vm.device}`,
    );
    await vm.shutdown();
    assert.equal(children(), before);
    assert.equal(await exported(), stdout.split(" ")[0]);
  }
  const onFile = plan("siphon-vhost", { disk: { type: "null", size: 1 << 20 } });
  await assert.rejects(startPlanned(await onFile), /serves images of a cluster/);
});

test("the last rung reads the same data, with its allocator and its client options in QEMU", async () => {
  await using vm = await Vm.start(await plan("librados-threads"));
  const { stdout } = await vm.run(`md5sum <${vm.device}`);
  assert.equal(stdout.split(" ")[0], await exported());
  assert.match(readFileSync(`/proc/${vm.pid}/maps`, "utf8"), /libtcmalloc/);
  const names = [...vm.cpu().threads.values()].map(({ name }) => name);
  assert.ok(names.some((name) => name.startsWith("msgr-worker")));
  const conf = /conf=([^, ]+)/.exec(vm.command.options.flat().join(" "))?.[1] ?? "";
  assert.match(readFileSync(conf, "utf8"), /\[client\.libvirt\][^[]*librados_thread_count = 1/);

  await createImage(cluster.client, { image: "second", size: 16 << 20 });
  const { conf: clusterConf } = cluster;
  const second = {
    type: "rbd",
    pool: "libvirt-pool",
    image: "second",
    user: "libvirt",
    conf: clusterConf,
  } as const;
  await using plugged = await vm.plug(second, { cache: "none", iothread: true, queues: 1 });
  assert.equal((await vm.run(`blockdev --getsize64 ${plugged.device}`)).stdout, `${16 << 20}\n`);
});

test("an image that is not there is named, with what to do", async () => {
  const disk = { client: cluster.client, image: "absent" };
  await assert.rejects(
    plan("virtio-blk", { disk }).then(Vm.start),
    (error) =>
      error instanceof LabError && /absent.*No such file/.test(error.message) && error.hint !== undefined,
  );
});

test("an interruption ends the wait for a cluster that cannot be reached", async () => {
  const conf = join(stateDir.dir, "unreachable.conf");
  writeFileSync(conf, "[global]\nmon_host = [v2:192.0.2.1:3300]\nauth_client_required = none\n");
  const disk = { client: new CephClient({ conf, user: "libvirt", pool: "libvirt-pool" }), image: "vm1" };
  const clusterProcesses = stateDir.running().length;
  const interrupted = new AbortController();
  const starting = plan("virtio-blk", { disk, signal: interrupted.signal }).then(Vm.start);
  while (stateDir.running().length === clusterProcesses) await sleep(50);
  interrupted.abort(new Error("no more"));
  await assert.rejects(starting, /no more/);
  assert.deepEqual(await listVms(), []);
});

test("a rung that cannot be had here says why", async () => {
  await assert.rejects(
    plan("new-librbd"),
    (error) => error instanceof LabError && /--librbd DIR/.test(error.message),
  );
});
