import assert from "node:assert/strict";
import { test } from "node:test";
import { examine } from "../../src/examine.ts";

const kvm = (id: number, bus: string) =>
  `root  471${id}  3.2  1.0 6193024 1293024 ?  Sl  Mar01 1234:56 /usr/bin/kvm -id ${id} -name vm${id} -cpu host -drive file=rbd:ceph/vm-${id}-disk-0:id=vms,if=none,id=d,cache=none,discard=on -device ${bus},drive=d -machine type=q35+pve0`;

test("the output of ps has one VM a line, with its position; the grep that looks for them is not a VM", () => {
  const text = [
    "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND",
    "root 1 0.0 0.1 168000 11000 ? Ss Jan01 0:10 /sbin/init",
    kvm(104, "virtio-blk-pci"),
    kvm(105, "ide-hd"),
    "root 9999 0.0 0.0 6332 2200 pts/0 S+ 10:00 0:00 grep kvm -i",
  ].join("\n");
  const found = examine([{ name: "ps.txt", text }]);
  assert.deepEqual(
    found.map(({ id, disks }) => [id, disks.map(({ source }) => source)]),
    [
      ["104", ["ceph/vm-104-disk-0"]],
      ["105", ["ceph/vm-105-disk-0"]],
    ],
  );
  const [sata] = found[1]!.disks[0]!.findings;
  assert.deepEqual([sata!.id, sata!.place.line], ["bus-sata", 4]);
  assert.match(sata!.fix, /^qm set 105 --delete d; qm set 105 --scsihw virtio-scsi-single/);
});

test("a script that starts one VM over several lines is one VM", () => {
  const text =
    '#!/bin/sh\n/usr/bin/qemu-system-x86_64 -enable-kvm \\\n  -name a \\\n  -drive "file=rbd:p/i:id=u,if=virtio,cache=none"\n';
  assert.equal(examine([{ name: "start.sh", text }]).length, 1);
});

test("one file may hold the XML of several domains, each with its declaration and line numbers", () => {
  const domain = (name: string, bus: string) =>
    `<?xml version='1.0'?>\n<!-- ${name} -->\n<domain type='kvm'>\n<name>${name}</name><vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type></os><cpu mode='host-model'/>\n<devices><disk type='network' device='disk'><driver name='qemu' cache='none' discard='unmap'/><auth username='u'><secret type='ceph' uuid='x'/></auth><source protocol='rbd' name='p/${name}'/>\n<target dev='sda' bus='${bus}'/></disk></devices></domain>\n`;
  const found = examine([{ name: "all.xml", text: domain("a", "sata") + domain("b", "ide") }]);
  assert.deepEqual(
    found.map(({ name, disks }) => [name, disks[0]!.findings.map(({ id, place }) => `${id}:${place.line}`)]),
    [
      ["a", ["bus-sata:6"]],
      ["b", ["bus-ide:12"]],
    ],
  );
});
