import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Examination } from "@siphon/doctor";
import { createImage, LocalCluster } from "@siphon/lab";
import { main } from "../support/programs.ts";

const run = promisify(execFile);
const ending = new AsyncDisposableStack();
const name = `siphon-doctor-${process.pid}`;
let cluster: LocalCluster;
let directory: string;
let qemu: ChildProcess;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), "siphon-doctor-live-"));
  ending.defer(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, "qemu-server"));
  cluster = await LocalCluster.up({
    name: "doctor",
    osds: 1,
    replicas: 1,
    store: "memstore",
    pgs: 8,
    auth: "cephx",
  });
  ending.defer(() => cluster.down());
  await createImage(cluster.client, { image: "vm-117-disk-0", size: 64 << 20 });
  qemu = startAsProxmox();
  ending.defer(async () => {
    if (qemu.exitCode !== null || qemu.signalCode !== null) return;
    qemu.kill("SIGKILL");
    await once(qemu, "exit");
  });
  while (!existsSync(join(directory, "117.qmp"))) {
    assert.equal(qemu.exitCode, null, "QEMU runs");
    await sleep(50);
  }
});

after(() => ending.disposeAsync());

/** A QEMU that waits to be started, with the command line that Proxmox makes. */
function startAsProxmox(): ChildProcess {
  const { conf, user } = cluster.client.target;
  const args = [
    ...["-name", `${name},debug-threads=on`, "-no-shutdown", "-S", "-display", "none", "-nodefaults"],
    ...[
      "-chardev",
      `socket,id=qmp,path=${join(directory, "117.qmp")},server=on,wait=off`,
      "-mon",
      "chardev=qmp,mode=control",
    ],
    ...[
      "-pidfile",
      join(directory, "qemu-server/117.pid"),
      "-smp",
      "4,sockets=1,cores=4,maxcpus=4",
      "-m",
      "64",
      "-accel",
      "tcg",
    ],
    ...["-device", "virtio-scsi-pci,id=scsihw0"],
    "-drive",
    `file=rbd:${cluster.client.spec("vm-117-disk-0")}:conf=${conf}:id=${user},if=none,id=drive-scsi0,format=raw,cache=none,detect-zeroes=on`,
    ...[
      "-device",
      "scsi-hd,bus=scsihw0.0,channel=0,scsi-id=0,lun=0,drive=drive-scsi0,id=scsi0",
      "-machine",
      "type=pc",
    ],
  ];
  return spawn("qemu-system-x86_64", args, { stdio: "ignore" });
}

async function examined(...flags: string[]): Promise<Examination> {
  const { stdout } = await run(process.execPath, [
    main,
    "doctor",
    "vm",
    name,
    "--seconds",
    "1",
    "--json",
    ...flags,
  ]);
  return JSON.parse(stdout);
}

const idsOf = ({ findings }: { findings: { id: string }[] }) => findings.map(({ id }) => id);

test("a running VM shows what no file has: the librbd and allocator that it has mapped, what QEMU says of its disks", async () => {
  const found = await examined();
  assert.equal(found.managedBy, "proxmox");
  const [disk] = found.disks;
  assert.equal(disk!.disk, "drive-scsi0");
  for (const id of ["iothread-missing", "discard-off", "detect-zeroes-cost"])
    assert.ok(idsOf(disk!).includes(id), id);
  for (const id of ["cache-librbd-on", "client-admin", "throttled"])
    assert.ok(!idsOf(disk!).includes(id), id);
  for (const id of ["accel-tcg", "allocator-libc", "machine-i440fx"])
    assert.ok(idsOf(found.vm).includes(id), id);
  assert.ok(!idsOf(found.vm).includes("librbd-old"));
  assert.match(
    disk!.findings.find(({ id }) => id === "iothread-missing")!.fix,
    /qm set .*--scsihw virtio-scsi-single/,
  );
  assert.deepEqual(found.unseen, []);
});

test("a limit that was set while it runs is seen, though no command line has it", async () => {
  await qmp("block_set_io_throttle", {
    device: "drive-scsi0",
    iops: 500,
    bps: 0,
    bps_rd: 0,
    bps_wr: 0,
    iops_rd: 0,
    iops_wr: 0,
  });
  const found = await examined();
  assert.match(found.disks[0]!.findings.find(({ id }) => id === "throttled")!.why, /iops 500/);
});

test("the cluster is asked only where that is wanted: then image and pool are looked at as well", async () => {
  const { stdout } = await run(process.execPath, [
    main,
    "rbd",
    "--conf",
    cluster.conf,
    "snap",
    "create",
    cluster.client.spec("vm-117-disk-0@s1"),
  ]);
  assert.equal(stdout, "");
  const alone = await examined();
  assert.ok(!idsOf(alone.vm).includes("replica-one"));
  const found = await examined("--conf", cluster.conf);
  assert.ok(idsOf(found.vm).includes("replica-one"), JSON.stringify(found.unseen));
  assert.ok(!idsOf(found.disks[0]!).includes("features-minimal"));
  assert.ok(!idsOf(found.disks[0]!).includes("lock-stale"));
  assert.deepEqual(found.unseen, []);
});

test("every VM of the host with a disk on RBD is listed without a name", async () => {
  const { stdout } = await run(process.execPath, [main, "doctor", "vm", "--seconds", "0"]);
  assert.match(stdout, new RegExp(`^${name} `, "m"));
});

/** One command of QMP, from a client that hangs up again. */
async function qmp(execute: string, args: object): Promise<void> {
  const socket = connect(join(directory, "117.qmp"));
  socket.setEncoding("utf8");
  const commands = [{ execute: "qmp_capabilities" }, { execute, arguments: args }];
  let text = "";
  for await (const data of socket as AsyncIterable<string>) {
    text += data;
    const answers = text
      .split("\n")
      .filter((line) => line.includes('"QMP"') || line.includes('"return"') || line.includes('"error"'));
    assert.doesNotMatch(text, /"error"/);
    if (answers.length === commands.length + 1) break;
    socket.write(`${JSON.stringify(commands[answers.length - 1])}\n`);
  }
}
