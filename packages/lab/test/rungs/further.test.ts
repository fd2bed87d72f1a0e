import assert from "node:assert/strict";
import { test } from "node:test";
import { furtherRungs } from "../../src/rungs/further.ts";
import { whyNoHugePages } from "../../src/rungs/offers.ts";
import { type PlannedRung, planRungs } from "../../src/rungs/plan.ts";
import type { Offers } from "../../src/rungs/rung.ts";
import { qemuCommand } from "../../src/vm/arguments.ts";
import type { Disk } from "../../src/vm/disk.ts";
import type { VmSettings } from "../../src/vm/settings.ts";

const offers: Offers = { qemuMajor: 10, cpus: 4, copies: 3 };
const rbd = { pool: "p", image: "i", user: "u", conf: "/c" };

/** QEMU's options with a rung's settings, and what it hands to librbd. */
function callOf(settings: VmSettings): string[] {
  const { clientOptions, image } = settings;
  const luks = image?.luks && { luks: { by: image.luks, passphraseFile: "/f" } };
  const disk: Disk = { type: "rbd", ...rbd, ...luks };
  const { options } = qemuCommand({
    ...{ name: "vm", settings: { ...settings, allocator: "libc" }, disk, qemuVersion: "10.0.0" },
    ...{ boot: { from: "disk" }, accelerator: "tcg", cpus: 4, memoryMiB: 512 },
  });
  return [
    ...options.map((option) => option.join(" ")),
    ...Object.entries(clientOptions).map(([name, value]) => `conf: ${name} = ${value}`),
  ];
}

function plannedOf(plan: readonly PlannedRung[], name: string) {
  const found = plan.find(({ rung }) => rung.name === name);
  assert.ok(found?.status === "planned", `${name} is planned`);
  return found;
}

const node = "driver=rbd,node-name=rbd0,cache.direct=on,pool=p,image=i,user=u,conf=/c";
const mapped = (threads: string[]) =>
  `-device {"driver":"virtio-blk-pci","drive":"rbd0","id":"virtioblk0","num-queues":4,"iothread-vq-mapping":[${threads
    .map((name) => `{"iothread":"${name}"}`)
    .join(",")}]}`;
const four = ["iothread0", "iothread1", "iothread2", "iothread3"];
const threads = four.map((id) => `-object iothread,id=${id}`);
const one = "-device virtio-blk-pci,iothread=iothread0,drive=rbd0,id=virtioblk0,num-queues=4";
const memory = (more: string) => [
  `-object memory-backend-memfd,id=mem,size=512M,${more}`,
  "-numa node,memdev=mem",
];

/** What each has that the rung it changes has not, and the other way round. */
const expected: Record<string, { more: string[]; less: string[] }> = {
  "virtio-scsi": {
    more: [
      "-device virtio-scsi-pci,id=scsi0,iothread=iothread0,num_queues=4",
      "-device scsi-hd,bus=scsi0.0,drive=rbd0,id=scsi0-0",
    ],
    less: [...threads.slice(1), mapped(four)],
  },
  "virtio-scsi-main-loop": {
    more: ["-device virtio-scsi-pci,id=scsi0,num_queues=4"],
    less: ["-device virtio-scsi-pci,id=scsi0,iothread=iothread0,num_queues=4", threads[0]!],
  },
  nvme: {
    more: ["-device nvme,id=nvme0,serial=siphon,drive=rbd0,max_ioqpairs=4"],
    less: [...threads, mapped(four)],
  },
  "one-iothread": { more: [one], less: [one.replace("num-queues=4", "num-queues=1")] },
  "iothread-vq-mapping": { more: [...threads.slice(1), mapped(four)], less: [one] },
  "packed-ring": {
    more: [mapped(four).replace('"num-queues":4', '"num-queues":4,"packed":"on"')],
    less: [mapped(four)],
  },
  "huge-pages": { more: memory("hugetlb=on,prealloc=on"), less: [] },
  // It is set in the guest.
  "mq-deadline": { more: [], less: [] },
  "cache-writearound": {
    more: [`-blockdev ${node.replace("cache.direct=on,", "")}`, "conf: rbd_cache_policy = writearound"],
    less: [`-blockdev ${node}`],
  },
  "cache-writeback": {
    more: [`-blockdev ${node.replace("cache.direct=on,", "")}`, "conf: rbd_cache_policy = writeback"],
    less: [`-blockdev ${node}`],
  },
  "rbd-op-threads": { more: ["conf: rbd_op_threads = 4"], less: [] },
  "one-msgr-thread": { more: ["conf: ms_async_op_threads = 1"], less: [] },
  "more-msgr-threads": { more: ["conf: ms_async_op_threads = 6"], less: [] },
  // Another image.
  "objects-1m": { more: [], less: [] },
  "objects-16m": { more: [], less: [] },
  "luks-librbd": {
    more: [
      "-object secret,id=luks0,file=/f",
      `-blockdev ${node},encrypt.format=luks,encrypt.key-secret=luks0`,
    ],
    less: [`-blockdev ${node}`],
  },
  "luks-qemu": {
    more: [
      "-blockdev driver=luks,node-name=rbd0,cache.direct=on,key-secret=luks0,file.driver=rbd,file.pool=p,file.image=i,file.user=u,file.conf=/c",
    ],
    less: [`-blockdev ${node},encrypt.format=luks,encrypt.key-secret=luks0`],
  },
  "read-from-replica": { more: ["conf: rbd_read_from_replica_policy = balance"], less: [] },
};

for (const { name, on, why, source } of furtherRungs) {
  test(`${name} changes its thing of ${on}, and nothing else`, () => {
    const plan = planRungs("cumulative", offers, [name]);
    const [before, after] = [plannedOf(plan, on), plannedOf(plan, name)];
    assert.equal(after.against, on);
    const [base, own] = [callOf(before.settings), callOf(after.settings)];
    const difference = {
      more: own.filter((line) => !base.includes(line)),
      less: base.filter((line) => !own.includes(line)),
    };
    const sorted = ({ more, less }: typeof difference) => ({ more: more.toSorted(), less: less.toSorted() });
    assert.deepEqual(sorted(difference), sorted(expected[name]!));
    assert.ok(why.endsWith(".") && source.startsWith("https://"));
  });
}

test("settings outside QEMU's command line: the guest's scheduler, and the image's object size", () => {
  const plan = planRungs("cumulative", offers, ["mq-deadline", "objects-16m"]);
  assert.equal(plannedOf(plan, "mq-deadline").settings.guestScheduler, "mq-deadline");
  assert.deepEqual(plannedOf(plan, "objects-16m").settings.image, { objectSize: 16 * 2 ** 20 });
});

test("a further rung is climbed only when it is named, right after the rung that it changes", () => {
  assert.ok(planRungs("cumulative", offers).every(({ rung }) => !Object.hasOwn(expected, rung.name)));
  const names = (wanted: string[]) => planRungs("cumulative", offers, wanted).map(({ rung }) => rung.name);
  assert.deepEqual(names(["luks-qemu", "secure", "iothread-vq-mapping"]), [
    ...["q35", "one-iothread", "iothread-vq-mapping"],
    ...["librados-threads", "luks-librbd", "luks-qemu"],
    "secure",
  ]);
  assert.deepEqual(names(["secure"]), ["secure"]);
});

test("those that cannot be had here are skipped with their reason, and those that would change them", () => {
  const bare: Offers = {
    qemuMajor: 7,
    cpus: 2,
    copies: 1,
    noHugePages: "no huge pages",
    noFurtherImages: "no images",
  };
  const all = furtherRungs.map(({ name }) => name);
  const skipped = planRungs("cumulative", bare, all).flatMap((each) =>
    each.status === "skipped" && all.includes(each.rung.name) ? [[each.rung.name, each.reason]] : [],
  );
  assert.deepEqual(skipped, [
    ["iothread-vq-mapping", "needs QEMU 9 or newer, and this is QEMU 7"],
    ["huge-pages", "no huge pages"],
    ["objects-1m", "no images"],
    ["objects-16m", "no images"],
    ["luks-librbd", "no images"],
    ["luks-qemu", "no images"],
    ["read-from-replica", "needs two copies of each object or more (--osds 3)"],
  ]);
});

test("huge pages are there when enough of them are free for the VM", () => {
  const meminfo = (free: number) =>
    `HugePages_Total: 300\nHugePages_Free: ${free}\nHugepagesize:       2048 kB\n`;
  assert.equal(whyNoHugePages(meminfo(256), 512 * 2 ** 20), undefined);
  assert.equal(
    whyNoHugePages(meminfo(255), 512 * 2 ** 20),
    "256 huge pages are needed, and 255 are free (sysctl vm.nr_hugepages=256)",
  );
  assert.equal(whyNoHugePages("MemTotal: 1 kB\n", 2 ** 20), "this kernel has no huge pages");
});
