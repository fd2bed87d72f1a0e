import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LocalCluster } from "../../src/cluster/local-cluster.ts";
import { smallGuest } from "../../src/guest/small.ts";
import { threadTimes } from "../../src/host/proc.ts";
import { saturation } from "../../src/profile/findings.ts";
import type { Profile } from "../../src/profile/profile.ts";
import { profileProcess } from "../../src/profile/profile-process.ts";
import { profilePid } from "../../src/profile/target.ts";
import { qemuDefaults } from "../../src/vm/settings.ts";
import { Vm } from "../../src/vm/vm.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-profile-"));
process.env.SIPHON_STATE_DIR = dir;
after(() => rmSync(dir, { recursive: true, force: true }));

test("a librbd client under load shows its messenger at work, and goes on unharmed", async () => {
  await using cluster = await LocalCluster.up({
    name: "profile",
    osds: 1,
    store: "memstore",
    auth: "cephx",
    wire: "secure",
  });
  await cluster.admin.rbd(["create", "--size", "256M", cluster.admin.spec("image")]);
  const fio = startFio(cluster, "image");
  try {
    await busy(fio, "msgr-worker-0");
    const profile = await profileProcess(fio.pid!, { seconds: 4, intervalMs: 40 });
    const messenger = groupOf(profile, "msgr-worker-0");
    const loop = messenger.stacks.filter(({ frames }) =>
      frames.some((name) => name.startsWith("EventCenter::process_events")),
    );
    assert.ok(loop.length > 0, "C++ names are there, and readable");
    assert.ok(profile.groups.some(({ running }) => running > 0));
    groupOf(profile, "io_context_pool");
    assert.match(saturation(profile)[0], /msgr-worker-0|io_context_pool|fio/);
    const files = profile.unnamed.map(({ file }) => file).join(" ");
    assert.match(
      files,
      /librbd|librados|ceph-common/,
      "Debian's librbd has no symbols for its own functions",
    );
  } finally {
    fio.kill("SIGINT");
    assert.match(await text(fio.stdout!), /err= 0/, "fio ended in order, without an error");
  }
});

test("a VM is profiled by its name; its vCPU and its main loop are told apart", async () => {
  await using vm = await Vm.start({
    name: "profiled",
    guest: await smallGuest(),
    settings: { ...qemuDefaults, device: "virtio-blk", iothread: true, queues: 1 },
    disk: { type: "null", size: 1 << 30 },
    accelerator: "tcg",
    cpus: 1,
  });
  await vm.run("(while :; do :; done) >/dev/null 2>&1 &");
  const profile = await profileProcess(await profilePid("profiled"), { seconds: 4, intervalMs: 40 });
  const vcpu = groupOf(profile, "CPU 0/TCG");
  assert.ok(vcpu.running > 0.5 * vcpu.samples, `${vcpu.running} of ${vcpu.samples}`);
  const iothread = groupOf(profile, "IO iothread0");
  assert.ok(iothread.running < vcpu.running, "nothing is read or written: it waits");
  assert.match(saturation(profile)[0], /^CPU 0\/TCG (is saturated|wants a core)|the busiest, CPU 0\/TCG/);
  assert.equal((await vm.run("echo unharmed")).stdout, "unharmed\n");
});

function startFio(cluster: LocalCluster, image: string): ChildProcess {
  const { user, pool } = cluster.spec;
  const target = ["--ioengine=rbd", `--clientname=${user}`, `--pool=${pool}`, `--rbdname=${image}`];
  const load = [
    "--rw=randwrite",
    "--bs=16k",
    "--iodepth=64",
    "--size=256M",
    "--time_based",
    "--runtime=3600",
  ];
  return spawn("fio", ["--name=load", ...target, ...load], {
    env: { ...process.env, CEPH_CONF: cluster.conf, ...cluster.resource.environment },
    stdio: ["ignore", "pipe", "ignore"],
  });
}

/** Waits until a thread of that name has used half a second of CPU. */
async function busy(child: ChildProcess, name: string): Promise<void> {
  for (;;) {
    assert.equal(child.exitCode, null, "fio runs");
    const used = threadTimes(child.pid!).find((thread) => thread.name === name)?.cpu ?? 0;
    if (used > 0.5) return;
    await sleep(100);
  }
}

function groupOf({ groups }: Profile, name: string) {
  const group = groups.find((each) => each.name === name);
  assert.ok(group, `no thread ${name} among ${groups.map((each) => each.name).join(", ")}`);
  return group;
}
