import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createImage, LocalCluster, qemuDefaults, smallGuest, Vm } from "@siphon/lab";
import { SiphonAttach } from "../../support/attach/siphon-attach.ts";
import { frozen } from "../../support/frozen.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-vhost-rbd-"));
process.env.SIPHON_STATE_DIR = join(directory, "state");

const image = "vm";
const socket = join(directory, "disk.sock");

let ceph: LocalCluster;
let server: SiphonAttach | undefined;
let vm: Vm;

before(async () => {
  const spec = { osds: 1, replicas: 1, store: "memstore", auth: "cephx", pgs: 8 } as const;
  // Seconds that a killed server's watch delays the next server.
  const settings = { osd_client_watch_timeout: 5 };
  ceph = await LocalCluster.up({ name: "vhost-rbd", ...spec, settings });
  await createImage(ceph.admin, { image, size: 512 << 20 });
  server = await serve();
  vm = await Vm.start({
    guest: await smallGuest(),
    settings: { ...qemuDefaults, device: "virtio-blk", queues: 1 },
    disk: { type: "vhost-user", socket },
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
  return SiphonAttach.start(`libvirt-pool/${image}`, "--vhost", socket, "--conf", ceph.conf);
}

/** Runs a command in the guest; fails unless the command succeeds. */
async function run(command: string): Promise<string> {
  const { exitCode, stdout, stderr } = await vm.run(command, { timeoutMs: 280_000 });
  assert.equal(exitCode, 0, `${command}: ${stdout}${stderr}`);
  return stdout;
}

/** Writes, then reads everything again. Fails on an error or a wrong block. */
const verified = (size: string, seed: number): Promise<string> =>
  run(
    `fio --name=v --filename=/dev/vda --rw=randwrite --bs=16k --size=${size} --iodepth=32 --ioengine=libaio --direct=1 ` +
      `--verify=crc32c --verify_fatal=1 --do_verify=1 --randseed=${seed} --output-format=terse`,
  );

test("an RBD image is a guest's disk, with a file system on it", async () => {
  await run("mkfs.xfs -q -f /dev/vda && mount -t xfs /dev/vda /mnt && cp -a /bin /mnt/ && umount /mnt");
  await run("mount -t xfs /dev/vda /mnt && cmp /bin/busybox /mnt/bin/busybox && umount /mnt");
});

test("QEMU stops a VM while the cluster does not answer, and requests in flight complete when the VM continues", async () => {
  let writes: Promise<string> | undefined;
  {
    using _ = await frozen(ceph.osdPids);
    writes = verified("8m", 5);
    await sleep(3000);
    await vm.qmp.execute("stop");
  }
  await vm.qmp.execute("cont");
  await writes;
});

test("a server that is killed and restarted takes over the lock, and nothing is lost", async () => {
  const writes = verified("24m", 6);
  await sleep(1000);
  await server!.kill();
  server = await serve();
  await writes;
});

test("a server whose lock is taken away acknowledges nothing more, and the guest sees errors", async () => {
  const [lock] = (await ceph.admin.rbdJson(["lock", "ls", `libvirt-pool/${image}`])) as [{ address: string }];
  await ceph.admin.command(["osd", "blocklist", "add", lock.address]);
  const write = "dd if=/dev/zero of=/dev/vda bs=64k count=16 oflag=direct";
  for (let tries = 0; (await vm.run(write, { timeoutMs: 120_000 })).exitCode === 0; tries++) {
    assert.ok(tries < 20, "writes are acknowledged for ever");
  }
  assert.notEqual((await vm.run(write, { timeoutMs: 120_000 })).exitCode, 0);
});
