import assert from "node:assert/strict";
import { test } from "node:test";
import { LabError } from "../../src/errors.ts";
import { type Disk, diskOptions } from "../../src/vm/disk.ts";
import { qemuDefaults, type VmSettings } from "../../src/vm/settings.ts";

const rbd: Disk = {
  type: "rbd",
  pool: "libvirt-pool",
  image: "vm1",
  user: "libvirt",
  conf: "/etc/ceph/ceph.conf",
};
const name = "rbd:libvirt-pool/vm1:id=libvirt:conf=/etc/ceph/ceph.conf";
const virtio: VmSettings = { ...qemuDefaults, device: "virtio-blk" };

/** The options as one line, as the study prints them. */
const line = (settings: VmSettings, disk: Disk = rbd) => diskOptions(settings, disk).flat().join(" ");

const lines: [string, VmSettings, string][] = [
  ["QEMU's default: a bare -drive", qemuDefaults, `-drive format=raw,file=${name}`],
  [
    "virtio-blk",
    virtio,
    `-drive format=raw,id=rbd0,if=none,file=${name} -device virtio-blk-pci,drive=rbd0,id=virtioblk0`,
  ],
  [
    "an I/O thread",
    { ...virtio, iothread: true },
    `-drive format=raw,id=rbd0,if=none,file=${name} -object iothread,id=iothread0 ` +
      "-device virtio-blk-pci,iothread=iothread0,drive=rbd0,id=virtioblk0",
  ],
  [
    "cache=none and aio=native, as in the study's newer-librbd step",
    { ...virtio, iothread: true, cache: "none", aio: "native" },
    `-drive format=raw,id=rbd0,if=none,cache=none,aio=native,file=${name} -object iothread,id=iothread0 ` +
      "-device virtio-blk-pci,iothread=iothread0,drive=rbd0,id=virtioblk0",
  ],
  [
    "the blockdev syntax",
    { ...virtio, syntax: "blockdev", cache: "none" },
    "-blockdev driver=rbd,node-name=rbd0,cache.direct=on,pool=libvirt-pool,image=vm1,user=libvirt," +
      "conf=/etc/ceph/ceph.conf -device virtio-blk-pci,drive=rbd0,id=virtioblk0",
  ],
  [
    "the blockdev syntax leaves librbd's cache as QEMU's default has it",
    { ...virtio, syntax: "blockdev" },
    "-blockdev driver=rbd,node-name=rbd0,pool=libvirt-pool,image=vm1,user=libvirt," +
      "conf=/etc/ceph/ceph.conf -device virtio-blk-pci,drive=rbd0,id=virtioblk0",
  ],
  [
    "an IDE disk in the blockdev syntax",
    { ...qemuDefaults, syntax: "blockdev" },
    "-blockdev driver=rbd,node-name=rbd0,pool=libvirt-pool,image=vm1,user=libvirt," +
      "conf=/etc/ceph/ceph.conf -device ide-hd,drive=rbd0,id=ide0",
  ],
  [
    "a SCSI disk, whose controller has the thread and the queues",
    { ...qemuDefaults, device: "virtio-scsi", iothread: true, queues: 2, cache: "none" },
    `-drive format=raw,id=rbd0,if=none,cache=none,file=${name} -object iothread,id=iothread0 ` +
      "-device virtio-scsi-pci,id=scsi0,iothread=iothread0,num_queues=2 -device scsi-hd,bus=scsi0.0,drive=rbd0,id=scsi0-0",
  ],
  [
    "a number of queues",
    { ...virtio, queues: 4 },
    `-drive format=raw,id=rbd0,if=none,file=${name} -device virtio-blk-pci,drive=rbd0,id=virtioblk0,num-queues=4`,
  ],
];

for (const [what, settings, expected] of lines) {
  test(`${what}`, () => assert.equal(line(settings), expected));
}

test("several I/O threads share the queues by a mapping, which only JSON can say", () => {
  const options = diskOptions({ ...virtio, iothread: true, queues: 4, iothreads: 2 }, rbd);
  assert.deepEqual(options.slice(1, 3), [
    ["-object", "iothread,id=iothread0"],
    ["-object", "iothread,id=iothread1"],
  ]);
  assert.deepEqual(JSON.parse(options[3][1]), {
    driver: "virtio-blk-pci",
    drive: "rbd0",
    id: "virtioblk0",
    "num-queues": 4,
    "iothread-vq-mapping": [{ iothread: "iothread0" }, { iothread: "iothread1" }],
  });
});

test("names with commas, colons and at-signs reach QEMU whole, in both syntaxes", () => {
  const odd: Disk = { type: "rbd", pool: "p", namespace: "n", image: "a,b", user: "u", conf: "/c:d@e,f" };
  assert.equal(line(qemuDefaults, odd), "-drive format=raw,file=rbd:p/n/a,,b:id=u:conf=/c\\:d\\@e,,f");
  assert.match(
    line({ ...virtio, syntax: "blockdev" }, odd),
    /pool=p,namespace=n,image=a,,b,user=u,conf=\/c:d@e,,f /,
  );
});

test("disks that are not RBD images", () => {
  const backend = (disk: Disk, settings = virtio) => diskOptions(settings, disk)[0].join(" ");
  const blockdev: VmSettings = { ...virtio, syntax: "blockdev", cache: "none" };
  const file: Disk = { type: "file", path: "/x.raw", format: "raw", readOnly: true };
  assert.equal(backend(file), "-drive format=raw,id=disk0,if=none,readonly=on,file=/x.raw");
  assert.equal(
    backend(file, blockdev),
    "-blockdev driver=file,node-name=disk0,cache.direct=on,filename=/x.raw,read-only=on",
  );
  assert.equal(
    backend({ type: "file", path: "/x.qcow2", format: "qcow2" }, { ...virtio, syntax: "blockdev" }),
    "-blockdev driver=qcow2,node-name=disk0,file.driver=file,file.filename=/x.qcow2",
  );
  assert.equal(
    backend({ type: "null", size: 1024 }),
    "-drive format=raw,id=disk0,if=none,file.driver=null-co,file.size=1024,file.read-zeroes=on",
  );
  assert.equal(
    backend({ type: "nbd", socket: "/s", export: "e", reconnectDelay: 5 }, blockdev),
    "-blockdev driver=nbd,node-name=disk0,cache.direct=on,server.type=unix,server.path=/s,export=e,reconnect-delay=5",
  );
});

test("a vhost-user disk is a device alone: its daemon does the I/O", () => {
  for (const [version, reconnect] of [
    ["7.2.22", "reconnect=1"],
    ["10.0.13", "reconnect-ms=1000"],
    [undefined, "reconnect-ms=1000"],
  ] as const) {
    const disk: Disk = { type: "vhost-user", socket: "/s" };
    assert.equal(
      diskOptions({ ...virtio, queues: 2, iothread: true }, disk, version)
        .flat()
        .join(" "),
      `-chardev socket,id=vhost0,path=/s,${reconnect} ` +
        "-device vhost-user-blk-pci,chardev=vhost0,id=virtioblk0,num-queues=2",
    );
  }
});

test("what cannot be combined is refused", () => {
  const refused = (settings: VmSettings, disk: Disk = rbd) =>
    assert.throws(
      () => diskOptions(settings, disk),
      (error) => error instanceof LabError && error.code === "SIPHON_USAGE",
    );
  refused({ ...qemuDefaults, iothread: true });
  refused(qemuDefaults, { type: "vhost-user", socket: "/s" });
  refused({ ...virtio, iothread: true, iothreads: 4, queues: 2 });
});
