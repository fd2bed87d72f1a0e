import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createImage, LocalCluster, qemuDefaults, resizeImage, smallGuest, Vm } from "@siphon/lab";
import { run } from "../../support/attach/run.ts";
import { SiphonAttach } from "../../support/attach/siphon-attach.ts";
import { until } from "../../support/until.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-vhost-workers-"));
process.env.SIPHON_STATE_DIR = join(directory, "state");

const image = "libvirt-pool/vm";
const socket = join(directory, "disk.sock");
const MiB = 1 << 20;
const queues = 2;

let ceph: LocalCluster;
let server: SiphonAttach | undefined;
let vm: Vm;

before(async () => {
  const spec = { osds: 1, replicas: 1, store: "memstore", auth: "cephx", pgs: 8 } as const;
  // Seconds that a killed server's watch delays the next server.
  const settings = { osd_client_watch_timeout: 5 };
  ceph = await LocalCluster.up({ name: "vhost-workers", ...spec, settings });
  await createImage(ceph.admin, { image: "vm", size: 64 * MiB });
  server = await serve();
  vm = await Vm.start({
    guest: await smallGuest(),
    settings: { ...qemuDefaults, device: "virtio-blk", queues },
    disk: { type: "vhost-user", socket },
    cpus: queues,
    accelerator: "tcg",
  });
});

after(async () => {
  await vm?.shutdown();
  await server?.kill();
  await ceph?.down();
  rmSync(directory, { recursive: true, force: true });
});

function serve(): Promise<SiphonAttach> {
  return SiphonAttach.start(image, "--vhost", socket, "--workers", String(queues), "--conf", ceph.conf);
}

async function inGuest(command: string): Promise<string> {
  const { exitCode, stdout, stderr } = await vm.run(command, { timeoutMs: 280_000 });
  assert.equal(exitCode, 0, `${command}: ${stdout}${stderr}`);
  return stdout;
}

/** The guest's interrupts for each queue of the disk: completions by the queue's worker. */
async function interrupts(): Promise<number[]> {
  const lines = await inGuest("grep -E 'virtio[0-9]+-req' /proc/interrupts");
  const countsOf = (line: string) =>
    line
      .trim()
      .split(/\s+/)
      .slice(1, 1 + queues)
      .map(Number);
  return lines
    .trim()
    .split("\n")
    .map((line) => countsOf(line).reduce((sum, count) => sum + count));
}

async function digestOf(snapshot: string): Promise<string> {
  const to = join(directory, "exported");
  await run("rbd", ["-c", ceph.conf, "export", "--no-progress", snapshot, to]);
  const digest = createHash("sha256").update(readFileSync(to)).digest("hex");
  rmSync(to);
  return digest;
}

/** Each CPU of the guest has its own queue; one job per CPU writes half of the disk and verifies it. */
const verified = () =>
  inGuest(
    "fio --name=v --filename=/dev/vda --rw=randwrite --bs=16k --size=24m --offset_increment=32m --numjobs=2 --cpus_allowed=0,1 " +
      "--cpus_allowed_policy=split --iodepth=32 --ioengine=libaio --direct=1 --verify=crc32c --verify_fatal=1 --do_verify=1 " +
      "--output-format=terse",
  );

test("both queues of a guest are served, and a snapshot, a kill and a restart under load lose nothing", async () => {
  const before = await interrupts();
  assert.equal(before.length, queues);
  const writes = verified();
  await run("rbd", ["-c", ceph.conf, "snap", "create", "--no-progress", `${image}@s`]);
  await server!.kill();
  server = await serve();
  const digest = await digestOf(`${image}@s`);
  await writes;
  for (const [queue, count] of (await interrupts()).entries()) assert.ok(count > before[queue]!);
  assert.equal(await digestOf(`${image}@s`), digest);
  assert.equal(await inGuest("dmesg | grep -ci 'error.*vda' || true"), "0\n");
});

test("the guest sees the disk grow, and both queues reach the new part", async () => {
  await resizeImage(ceph.admin, { image: "vm", size: 96 * MiB });
  await until(async () => Number(await inGuest("blockdev --getsize64 /dev/vda")) === 96 * MiB);
  for (const cpu of [0, 1]) {
    await inGuest(
      `taskset ${1 << cpu} dd if=/dev/urandom of=/dev/vda bs=64k count=1 seek=${1280 + cpu} oflag=direct`,
    );
  }
});

test("a server that is asked to end completes the requests in flight, and the next one continues", async () => {
  const writes = verified();
  await server!.stop();
  server = await serve();
  await writes;
});
