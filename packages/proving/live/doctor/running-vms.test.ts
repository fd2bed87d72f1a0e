import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type Examination, examineVm, vmOfHost } from "@siphon/doctor";
import { createImage, LocalCluster, qemuDefaults, smallGuest, Vm } from "@siphon/lab";
import { callSiphon } from "../../../cli/test/support/programs.ts";
import { askQmp } from "../../support/doctor/ask-qmp.ts";
import { LibvirtVm } from "../../support/doctor/libvirt-vm.ts";
import { ProxmoxVm } from "../../support/doctor/proxmox-vm.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-running-"));
process.env.SIPHON_STATE_DIR = join(directory, "state");
/** Ceph and QEMU come from a root (`--root`), which ignores this process's LD_LIBRARY_PATH. */
const inRoot = process.env.SIPHON_TEST_PYTHON !== undefined;
const libraries = join(directory, "librbd");
const load =
  "fio --name=l --rw=randread --bs=16k --iodepth=16 --ioengine=libaio --direct=1 --size=32m --time_based --runtime=60 --output-format=terse";

let ceph: LocalCluster;
let release: string;
let lab: Vm;
let libvirt: LibvirtVm;
let proxmox: ProxmoxVm;

before(async () => {
  chmodSync(directory, 0o755);
  const spec = { osds: 1, replicas: 1, store: "memstore", auth: "cephx", keyType: "aes", pgs: 8 } as const;
  ceph = await LocalCluster.up({ name: "running", ...spec });
  for (const image of ["vm1", "vm-101-disk-0", "web"])
    await createImage(ceph.admin, { image, size: 64 << 20 });
  release = /ceph version (\d+\.\d+\.\d+)/.exec(
    execFileSync("ceph", ["--version"], { encoding: "utf8" }),
  )![1]!;
  if (!inRoot) copyLibrbd();
  const sockets = join(directory, "asok");
  mkdirSync(sockets, { mode: 0o755 });
  const { path: conf } = await ceph.clientConf("watched", {
    admin_socket: join(sockets, "$name.$pid.$cctid.asok"),
  });
  [lab, libvirt, proxmox] = await Promise.all([
    Vm.start({
      name: "lab",
      guest: await smallGuest(),
      settings: {
        ...qemuDefaults,
        device: "virtio-blk",
        iothread: true,
        ...(!inRoot && { librbdDir: libraries }),
      },
      disk: { type: "rbd", pool: "libvirt-pool", image: "vm1", user: "libvirt", conf },
      accelerator: "tcg",
    }),
    LibvirtVm.start(join(directory, "libvirt"), ceph, "web"),
    ProxmoxVm.start(join(directory, "pve"), 101, "mail", {
      rbd: `libvirt-pool/vm-101-disk-0:conf=${ceph.conf}:id=admin`,
      cache: "writeback",
    }),
  ]);
});

after(async () => {
  await lab?.shutdown();
  await libvirt?.[Symbol.asyncDispose]();
  await proxmox?.[Symbol.asyncDispose]();
  await ceph?.down();
  rmSync(directory, { recursive: true, force: true });
});

/** Makes a copy of librbd, which the test can replace without affecting other programs. */
function copyLibrbd(): void {
  mkdirSync(libraries);
  for (const file of globSync("/usr/lib/*-linux-gnu/{librbd.so.1.*,librados.so.2.*}"))
    copyFileSync(file, join(libraries, basename(file)));
  execFileSync("ldconfig", ["-n", libraries]);
}

const idsOf = ({ disks, vm }: Examination): string[] =>
  [...disks.flatMap(({ findings }) => findings), ...vm.findings].map(({ id }) => id);

/** Starts a load in the lab's VM. Waits until QEMU has counted more reads than fio needs to inspect the device. */
async function loadLab(): Promise<{ end: () => Promise<void> }> {
  const pidFile = "/tmp/load.pid";
  const before = await lab.bytesDone();
  let isOver = false;
  const loading = lab
    .run(`echo $$ >${pidFile}; exec ${load} --filename=${lab.device}`, { timeoutMs: 120_000 })
    .finally(() => {
      isOver = true;
    });
  while ((await lab.bytesDone()) < before + (1 << 20)) {
    if (isOver) assert.fail(`fio ended: ${(await loading).stderr}`);
    await pause(50);
  }
  return {
    end: async () => {
      await lab.run(`kill -INT $(cat ${pidFile})`);
      await loading;
    },
  };
}

test("a VM of the lab: release, allocator, threads, librbd's counters and settings, and a monitor in use", async () => {
  const { end } = await loadLab();
  const vm = await vmOfHost(String(lab.pid), { seconds: 3 });
  await end();
  assert.deepEqual([vm.name, vm.disks.length], ["lab", 1]);
  assert.equal(vm.host.cephRelease, release);
  assert.equal(vm.host.allocator?.value, "libc");
  assert.equal(vm.host.librbd?.value.source, "mapped");
  const said = vm.notes.join("\n");
  assert.match(said, /its threads used of a core each: .*(msgr-worker|io_context_pool|IO iothread0|CPU \d)/);
  assert.match(said, /librbd of libvirt-pool-vm1 as it runs: rbd_cache true, ms_client_mode/);
  assert.match(said, /librbd of libvirt-pool-vm1: [\d,]+ reads a second of [\d.]+ ms while it was watched/);
  assert.match(said, /its connections are in crc mode/);
  assert.match(vm.unseen.join("\n"), /another client holds the monitor/);
  const examination = examineVm(vm);
  for (const id of ["cache-librbd-on", "allocator-libc", "discard-off", "accel-tcg"])
    assert.ok(idsOf(examination).includes(id), `${id} of ${idsOf(examination)}`);
  for (const id of ["librbd-old", "librbd-replaced", "iothread-missing", "secure-cost"])
    assert.ok(!idsOf(examination).includes(id), id);
});

test("a librbd that is replaced under a VM is reported with its release and with the installed one", {
  skip: inRoot && "the root's QEMU takes its own librbd",
}, async () => {
  const [file] = globSync(`${libraries}/librbd.so.1.*`);
  copyFileSync(file!, `${file}.new`);
  renameSync(`${file}.new`, file!);
  const vm = await vmOfHost(String(lab.pid), { seconds: 0 });
  const found = examineVm(vm).vm.findings.find(({ id }) => id === "librbd-replaced");
  const version = basename(file!).replace("librbd.so.", "");
  assert.ok(
    found?.why.includes(
      `runs librbd ${version} (Ceph ${release}) from ${file}, and ${version} (Ceph ${release}) is installed`,
    ),
    found?.why,
  );
});

test("a domain of libvirt: its name, its user, its iothread; the monitor is libvirt's", async () => {
  const vm = await vmOfHost(libvirt.name, { seconds: 1 });
  assert.equal(vm.managedBy, "libvirt");
  assert.equal(vm.disks[0]?.source.user?.value, "libvirt");
  assert.equal(vm.disks[0]?.source.image, "web");
  assert.match(vm.unseen.join("\n"), /libvirt holds the monitor/);
  const examination = examineVm(vm);
  assert.ok(!idsOf(examination).includes("key-exposed"), "libvirt hides the key");
  for (const id of ["iothread-missing", "cache-librbd-on", "allocator-libc"])
    assert.ok(idsOf(examination).includes(id), `${id} of ${idsOf(examination)}`);
  // The domain's XML describes the same disk, so the doctor must report it in the same words.
  const xml = join(directory, "domain.xml");
  writeFileSync(xml, await libvirt.xml());
  const { stdout } = await callSiphon(["doctor", "vm", xml, "--json"]);
  const told = idsOf(JSON.parse(stdout) as Examination);
  for (const id of ["iothread-missing", "cache-librbd-on"]) assert.ok(told.includes(id), `${id} of ${told}`);
});

test("a VM started like by Proxmox: its monitor shows changes made since, its agent shows the guest's scheduler", async () => {
  await createImage(ceph.admin, { image: "plugged", size: 16 << 20 });
  await askQmp(
    proxmox.qmpSocket,
    {
      execute: "block_set_io_throttle",
      arguments: { id: "scsi0", bps: 0, bps_rd: 0, bps_wr: 0, iops: 500, iops_rd: 0, iops_wr: 0 },
    },
    {
      execute: "blockdev-add",
      arguments: {
        ...{ driver: "rbd", "node-name": "added", pool: "libvirt-pool", image: "plugged" },
        ...{ conf: ceph.conf, user: "libvirt", cache: { direct: true } },
      },
    },
    {
      execute: "device_add",
      arguments: { driver: "scsi-hd", bus: "virtioscsi0.0", lun: 1, drive: "added", id: "scsi1" },
    },
  );
  await proxmox.startAgent();
  // In Debian 13 mq-deadline is a kernel module, which this guest does not load, so the scheduler stays "none".
  const { stdout: choice } = await proxmox.guest.run(
    "echo mq-deadline > /sys/block/sda/queue/scheduler; cat /sys/block/sda/queue/scheduler",
  );
  const vm = await vmOfHost("101", { seconds: 0 });
  assert.deepEqual([vm.name, vm.managedBy], ["mail", "proxmox"]);
  const examination = examineVm(vm);
  const [scsi0] = examination.disks;
  assert.ok(
    scsi0?.findings.some(({ id, why }) => id === "throttled" && /500/.test(why)),
    JSON.stringify(scsi0),
  );
  const plugged = examination.disks.find(({ source }) => source === "libvirt-pool/plugged");
  assert.ok(plugged?.rbd, JSON.stringify(examination.disks));
  assert.ok(!plugged.findings.some(({ id }) => id === "cache-librbd-on"));
  const scheduler = examination.vm.findings.find(({ id }) => id === "guest-scheduler");
  if (choice.includes("[mq-deadline]")) {
    assert.match(scheduler?.why ?? vm.unseen.join("\n"), /sda has mq-deadline/);
  } else {
    assert.deepEqual([vm.guestSchedulers?.value.get("sda"), scheduler], ["none", undefined]);
  }
  assert.match(vm.unseen.join("\n"), /no admin socket/);
  // The doctor has disconnected from the monitor, so Proxmox's tools can connect again.
  const [status] = await askQmp(proxmox.qmpSocket, { execute: "query-status" });
  assert.equal((status as { status: string }).status, "running");
});

test("a change to a running VM is described in its platform's terms and written by the platform's tools", async () => {
  const words = ["doctor", "fix", libvirt.name, "--finding", "iothread-missing"];
  const { stdout, code } = await callSiphon(words);
  assert.equal(code, 0);
  assert.match(
    stdout,
    // Debian 13's libvirt adds no format node above a raw storage node.
    /^# libvirt-1-(format|storage): <iothreads>1<\/iothreads> and iothread='1' in <driver>\n# .*virsh define/,
  );
  const refused = await callSiphon([...words, "--write"]);
  assert.match(refused.stderr, /goes through what runs it\n\s+virsh dumpxml --inactive/);
});

test("CPU pinning and a CPU limit of a running VM", async (t) => {
  const [iothreads] = await askQmp(proxmox.qmpSocket, { execute: "query-iothreads" });
  const all = iothreads as { id: string; "thread-id": number }[];
  const iothread = all.find(({ id }) => id === "iothread-virtioscsi0");
  const tids = globSync(`/proc/${proxmox.pid}/task/*`).map((path) => basename(path));
  const nameOf = (tid: string) => readFileSync(`/proc/${proxmox.pid}/task/${tid}/comm`, "utf8").trim();
  const pinned = tids.filter((tid) => /^CPU \d/.test(nameOf(tid)));
  assert.equal(pinned.length, 2);
  pinned.push(String(iothread!["thread-id"]));
  for (const tid of pinned) execFileSync("taskset", ["-pc", "0", tid]);
  const vm = await vmOfHost("101", { seconds: 0 });
  assert.ok(idsOf(examineVm(vm)).includes("thread-shares-core"), JSON.stringify(vm.host));
  // The thread itself has no name, because this one is too long for the kernel.
  assert.match(vm.host.sharedCores!.value, /^IO iothread-virtioscsi0 may run on core 0 only/);
  for (const tid of pinned) execFileSync("taskset", ["-pc", "0-1", tid]);
  const group = limitedGroup(t.name);
  if (group === undefined) return t.diagnostic("control groups cannot be made here");
  // A busy guest reaches its limit even on a busy machine; a guest that does I/O would mostly wait.
  const { stdout: loop } = await proxmox.guest.run(
    "(while :; do :; done) </dev/null >/dev/null 2>&1 & echo $!",
  );
  try {
    writeFileSync(join(group, "cgroup.procs"), String(proxmox.pid));
    const ids = idsOf(examineVm(await vmOfHost("101", { seconds: 3 })));
    assert.ok(ids.includes("cpu-limit") && ids.includes("cpu-throttled"), `${ids}`);
  } finally {
    writeFileSync(join(group, "../cgroup.procs"), String(proxmox.pid));
    rmdir(group);
    await proxmox.guest.run(`kill ${loop.trim()}`);
  }
});

/** Makes a control group (version 1 or 2) limited to a twentieth of a CPU; undefined if that is not possible. */
function limitedGroup(name: string): string | undefined {
  const own = `siphon-${process.pid}-${name.length}`;
  for (const [top, file, limit] of [
    ["/sys/fs/cgroup", "cpu.max", "5000 100000"],
    ["/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "5000"],
  ] as const) {
    const group = join(top, own);
    try {
      mkdirSync(group);
      writeFileSync(join(group, file), limit, { flag: "r+" });
      return group;
    } catch {
      rmdir(group);
    }
  }
  return undefined;
}

function rmdir(path: string): void {
  execFileSync("sh", ["-c", 'rmdir "$0" 2>/dev/null || true', path]);
}

test("without root, a VM of another user is found by its command line, and the doctor says what it could not see", {
  skip: process.geteuid?.() !== 0 && "only root can become another user",
}, async () => {
  process.setegid!(65534);
  process.seteuid!(65534);
  try {
    const vm = await vmOfHost(libvirt.name, { seconds: 0 });
    assert.equal(vm.disks[0]?.source.image, "web");
    assert.equal(vm.host.allocator, undefined);
    const unseen = vm.unseen.join("\n");
    assert.match(
      unseen,
      /libraries that the process has mapped: it is another user's process; run siphon as root/,
    );
    assert.match(unseen, /librbd's counters/);
    const ids = idsOf(examineVm(vm));
    assert.ok(ids.includes("cache-librbd-on") && !ids.includes("allocator-libc"), `${ids}`);
  } finally {
    process.seteuid!(0);
    process.setegid!(0);
  }
});

test("all VMs of the host are on one page, without any of their keys", async () => {
  const html = join(directory, "page.html");
  const { stdout, stderr, code } = await callSiphon(["doctor", "vm", "--seconds", "1", "--html", html]);
  assert.equal(code, 0, stderr);
  // The README's sample output is printed here.
  if (process.env.SIPHON_SHOW) process.stdout.write(stdout);
  for (const title of ["lab", "mail 101", libvirt.name])
    assert.match(stdout, new RegExp(`^${title} .*\\(`, "m"));
  const keyrings = globSync(join(ceph.conf, "../*.keyring")).map((path) => readFileSync(path, "utf8"));
  const keys = [...keyrings.join("\n").matchAll(/key = (\S+)/g)];
  assert.ok(keys.length > 0);
  for (const [, key] of keys) {
    assert.ok(!stdout.includes(key!), "no key is printed");
    assert.ok(!readFileSync(html, "utf8").includes(key!), "no key is on the page");
  }
});

test("a profile of a running VM is listed among the sources, and the VM runs on", async () => {
  const words = ["doctor", "vm", String(lab.pid), "--seconds", "1", "--profile", "--json"];
  const { stdout, stderr, code } = await callSiphon(words, { cwd: directory });
  assert.equal(code, 0, stderr);
  const page = /Profile of lab, with a flame graph: ([^"]+\.html)/.exec(stdout)?.[1];
  assert.ok(page, stdout);
  assert.match(readFileSync(join(directory, page), "utf8"), /msgr-worker|io_context_pool|CPU 0/);
  assert.equal((await lab.run("true")).exitCode, 0);
});

test("a VM that ends while it is examined is reported with what was seen until then", async () => {
  const said = () => readFileSync(proxmox.qmpLog, "utf8").split("rd_operations").length;
  const before = said();
  const watching = vmOfHost("101", { seconds: 5 });
  while (said() === before) await pause(20);
  await proxmox.end();
  const vm = await watching;
  assert.equal(vm.name, "mail");
  assert.match(
    vm.unseen.join("\n"),
    /what its threads do: the process (has ended|ended while it was watched)/,
  );
  await assert.rejects(vmOfHost("101", { seconds: 0 }), /no QEMU process on this host is 101/);
});
