import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createImage, LocalCluster, resizeImage } from "@siphon/lab";
import { Network } from "../../../lab/src/network/network.ts";
import { DeviceGuest } from "../../support/attach/device-guest.ts";

const MiB = 1 << 20;
const directory = mkdtempSync(join(tmpdir(), "siphon-device-"));
process.env.SIPHON_STATE_DIR = join(directory, "state");
const image = "libvirt-pool/vm1";
const device = "/dev/nbd0";
const skip = process.getuid?.() === 0 ? false : "a network for the guest needs root";

let network: Network;
let ceph: LocalCluster;
let guest: DeviceGuest;
/** Why the guest cannot run this test. */
let lacks: string | undefined;

before(async () => {
  if (skip) return;
  network = await Network.create(`device-${process.pid}`);
  const spec = { osds: 1, replicas: 1, store: "memstore", auth: "cephx", pgs: 8 } as const;
  // Seconds that the next server waits for the lock of a killed one.
  const settings = { osd_client_watch_timeout: 5 };
  ceph = await LocalCluster.up({ name: "device", ...spec, settings }, { address: network.address });
  await createImage(ceph.admin, { image: "vm1", size: 64 * MiB });
  mkdirSync(join(directory, "guest"));
  guest = await DeviceGuest.start(join(directory, "guest"), network, ceph);
  if ((await guest.run("modprobe nbd")).exitCode !== 0) lacks = "the guest's kernel has no NBD driver";
});

after(async () => {
  await guest?.[Symbol.asyncDispose]();
  await ceph?.down();
  await network?.remove();
  rmSync(directory, { recursive: true, force: true });
});

const siphon = (words: string) => guest.does(guest.siphon(words));
const rbd = (...words: string[]) => ceph.admin.rbd(words, { what: words.join(" ") });

/** Bytes of the image that its objects store. */
async function used(): Promise<number> {
  const extents = JSON.parse(await rbd("diff", "--format", "json", image)) as { length: number }[];
  return extents.reduce((sum, { length }) => sum + length, 0);
}

let cookie: string;

test("a mapped image is a block device of the kernel: a file system works on it, and discards free its space", {
  skip,
}, async (t) => {
  if (lacks !== undefined) return t.skip(lacks);
  const [path, ...rest] = (await siphon(`map -t nbd ${image} --show-cookie -o reattach-timeout=300`)).split(
    " ",
  );
  assert.equal(path, device);
  cookie = rest[0]!;
  assert.match(cookie, /^[0-9a-f-]{36}$/);

  const at = 32 * MiB;
  await guest.does(`dd if=/dev/urandom of=${device} bs=1M count=8 seek=32 conv=fsync`);
  assert.equal(await used(), 8 * MiB);
  await guest.does(`blkdiscard -o ${at} -l ${4 * MiB} ${device}`);
  assert.equal(await used(), 4 * MiB, "one of two objects");

  await guest.does(`mke2fs -b 4096 ${device} && mkdir /mnt/d && mount -t ext4 ${device} /mnt/d`);
  await guest.does("dd if=/dev/urandom of=/tmp/file bs=1M count=2 && cp /tmp/file /mnt/d && sync");
  await rbd("snap", "create", "--no-progress", `${image}@copied`);
});

test("the list of devices is rbd's, and a device whose server was killed is attached again without loss", {
  skip,
}, async (t) => {
  if (lacks !== undefined) return t.skip(lacks);
  // A line counts once it is on the disk.
  const write = "echo $i >>/mnt/d/lines && sync && echo $i >/tmp/acked";
  await guest.does(
    `(i=0; until [ -e /tmp/stop ]; do i=$((i+1)); ${write}; done; >/tmp/stopped) >/dev/null 2>&1 &`,
  );
  const [listed, ...more] = JSON.parse(await siphon("device list --format json"));
  const { id, ...columns } = listed;
  assert.deepEqual(more, []);
  assert.deepEqual(columns, {
    ...{ pool: "libvirt-pool", namespace: "", image: "vm1", snap: "", device, cookie },
  });
  await guest.does("until [ -s /tmp/acked ]; do sleep 0.1; done");
  await guest.does(`kill -9 ${id}`);
  assert.equal(await siphon(`device attach ${image} --device ${device} --cookie ${cookie}`), device);
  await guest.does(
    "n=$(cat /tmp/acked); until [ $(cat /tmp/acked) -ge $((n + 20)) ]; do sleep 0.1; done; >/tmp/stop; until [ -e /tmp/stopped ]; do sleep 0.1; done",
  );
  // After this, reads come from the image instead of the page cache.
  await guest.does(`umount /mnt/d && mount -t ext4 ${device} /mnt/d`);
  await guest.does("seq 1 $(cat /tmp/acked) | cmp - /mnt/d/lines && cmp /tmp/file /mnt/d/file");
  assert.equal((await guest.run("dmesg | grep -c 'I/O error'")).stdout.trim(), "0");
});

test("the kernel notices that the image grows and shrinks", { skip }, async (t) => {
  if (lacks !== undefined) return t.skip(lacks);
  for (const size of [96 * MiB, 80 * MiB]) {
    await resizeImage(ceph.admin, { image: "vm1", size, shrink: true });
    await guest.does(`until [ $(blockdev --getsize64 ${device}) = ${size} ]; do sleep 0.1; done`);
  }
});

test("a device in use cannot be unmapped; once unused it can, and its server releases the image", {
  skip,
}, async (t) => {
  if (lacks !== undefined) return t.skip(lacks);
  const refused = await guest.run(guest.siphon(`unmap ${device}`));
  assert.equal(refused.exitCode, 22);
  assert.match(refused.stderr, /\/dev\/nbd0 is in use/);
  await guest.does("umount /mnt/d");
  assert.equal(await siphon(`unmap ${image}`), "");
  await guest.does("[ ! -e /sys/block/nbd0/pid ]");
  assert.match(await rbd("status", image), /Watchers: none/);
  assert.equal((await rbd("lock", "ls", image)).trim(), "");
});

test("a snapshot is a read-only device", { skip }, async (t) => {
  if (lacks !== undefined) return t.skip(lacks);
  assert.equal(await siphon(`map ${image}@copied`), device);
  assert.equal(await guest.does(`blockdev --getro ${device}`), "1");
  await guest.does(`mount -o ro -t ext4 ${device} /mnt/d && cmp /tmp/file /mnt/d/file`);
});
