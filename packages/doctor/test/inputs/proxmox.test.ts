import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { expectFindings } from "../support/expect-findings.ts";

const storage =
  "rbd: c\n\tcontent images\n\tkrbd 0\n\tpool p\n\nrbd: k\n\tcontent images\n\tkrbd 1\n\tpool p\n\ndir: local\n\tpath /var/lib/vz\n\tcontent iso\n";
const base =
  "agent: 1\nboot: order=scsi0\ncores: 4\ncpu: host\nmachine: q35\nmemory: 4096\nostype: l26\nsockets: 1\n";
const single = "scsihw: virtio-scsi-single\n";
const good = "discard=on,iothread=1,size=10G";

const cases: [title: string, text: string, wanted: string][] = [
  ["a well-made VM has nothing to mend", `${base}${single}scsi0: c:vm-100-disk-0,${good}`, "scsi0 =; vm ="],
  ["Proxmox's own cache is none", `${base}${single}scsi0: c:vm-100-disk-0,${good},cache=none`, "scsi0 ="],
  [
    "writeback is written by somebody",
    `${base}${single}scsi0: c:vm-100-disk-0,${good},cache=writeback`,
    "scsi0 =cache-librbd-on =cache-writeback-depends",
  ],
  [
    "writethrough turns librbd's cache on without being writeback; on krbd it is the page cache",
    `${base}${single}scsi0: c:vm-100-disk-0,${good},cache=writethrough\nscsi1: k:vm-100-disk-1,${good},cache=writethrough`,
    "scsi0 =cache-librbd-on; scsi1 =krbd =cache-writeback-depends",
  ],
  ["directsync is fine", `${base}${single}scsi0: c:vm-100-disk-0,${good},cache=directsync`, "scsi0 ="],
  [
    "virtioN takes iothread=1 whatever scsihw is, and misses it without",
    `${base}virtio0: c:vm-100-disk-0,${good}\nvirtio1: c:vm-100-disk-1,discard=on`,
    "virtio0 =; virtio1 =iothread-missing",
  ],
  [
    "virtio-scsi-pci ignores iothread=1",
    `${base}scsihw: virtio-scsi-pci\nscsi0: c:vm-100-disk-0,${good}`,
    "scsi0 =iothread-without-effect",
  ],
  [
    "virtio-scsi-single without iothread=1 misses it",
    `${base}${single}scsi0: c:vm-100-disk-0,discard=on`,
    "scsi0 =iothread-missing",
  ],
  ["lsi53c810 is LSI", `${base}scsihw: lsi53c810\nscsi0: c:vm-100-disk-0,discard=on`, "scsi0 =scsi-lsi"],
  [
    "megasas is neither LSI nor virtio",
    `${base}scsihw: megasas\nscsi0: c:vm-100-disk-0,discard=on`,
    "scsi0 =",
  ],
  [
    "pvscsi ignores iothread=1",
    `${base}scsihw: pvscsi\nscsi0: c:vm-100-disk-0,${good}`,
    "scsi0 =iothread-without-effect",
  ],
  [
    "ide and sata",
    `${base}ide0: c:vm-100-disk-0,discard=on\nsata0: c:vm-100-disk-1,discard=on`,
    "ide0 =bus-ide; sata0 =bus-sata",
  ],
  [
    "CD-ROMs, cloud-init, TPM and EFI disks are no data path",
    `${base}${single}bios: ovmf\nide2: c:vm-100-cloudinit,media=cdrom\nide3: local:iso/x.iso,media=cdrom\nefidisk0: c:vm-100-disk-1,efitype=4m,size=4M\ntpmstate0: c:vm-100-disk-2,size=4M\nscsi0: c:vm-100-disk-0,${good}`,
    "ide2 =; ide3 =; efidisk0 =; tpmstate0 =; scsi0 =",
  ],
  [
    "a template's base image is not a clone; a linked clone is",
    `${base}${single}template: 1\nscsi0: c:base-100-disk-0,${good}`,
    "scsi0 =",
  ],
  [
    "a linked clone",
    `${base}${single}scsi0: c:base-100-disk-0/vm-101-disk-0,${good}`,
    "scsi0 =clone-unflattened",
  ],
  [
    "limits cap",
    `${base}${single}scsi0: c:vm-100-disk-0,${good},iops_rd=500,mbps_wr=100\nscsi1: c:vm-100-disk-1,${good},mbps=0`,
    "scsi0 =throttled; scsi1 =",
  ],
  [
    "aio= does nothing on librbd; threads are slow on a mapped disk without the page cache",
    `${base}${single}scsi0: c:vm-100-disk-0,${good},aio=native\nscsi1: k:vm-100-disk-1,${good},aio=threads\nscsi2: k:vm-100-disk-2,${good},aio=threads,cache=writeback`,
    "scsi0 =aio-without-effect; scsi1 =krbd =aio-threads; scsi2 =krbd =cache-writeback-depends",
  ],
  [
    "queues= counts with virtio-scsi-single only",
    `${base}scsihw: virtio-scsi-pci\nscsi0: c:vm-100-disk-0,discard=on,queues=8`,
    "scsi0 =iothread-missing",
  ],
  [
    "a pinned old machine type has one queue",
    `${base.replace("q35", "pc-q35-5.1+pve0")}${single}scsi0: c:vm-100-disk-0,${good}`,
    "scsi0 =queues-single",
  ],
  [
    "iothread=1 on scsihw is read by nobody",
    `${base}scsihw: virtio-scsi-single,iothread=1\nscsi0: c:vm-100-disk-0,discard=on`,
    "scsi0 =iothread-missing =option-misplaced",
  ],
  ["kvm: 0 is emulation", `${base}kvm: 0\n${single}scsi0: c:vm-100-disk-0,${good}`, "vm =accel-tcg"],
  [
    "kvm64 by name, and a model of one's own",
    `${base.replace("cpu: host", "cpu: cputype=kvm64,flags=+aes")}${single}`,
    "vm =cpu-generic",
  ],
  ["x86-64-v2-AES is fine", `${base.replace("cpu: host", "cpu: x86-64-v2-AES")}${single}`, "vm ="],
  ["cpulimit below the cores", `${base}${single}cpulimit: 2\n`, "vm =cpu-limit"],
  ["cpulimit as large as the cores, and cpuunits", `${base}${single}cpulimit: 4\ncpuunits: 50\n`, "vm ="],
  ["sockets with numa: 1", `${base.replace("sockets: 1", "sockets: 2")}${single}numa: 1\n`, "vm ="],
  ["sockets without", `${base.replace("sockets: 1", "sockets: 2")}${single}numa: 0\n`, "vm =numa-split"],
  ["a large guest without huge pages", `${base.replace("4096", "65536")}${single}`, "vm =hugepages-missing"],
  ["and with", `${base.replace("4096", "65536")}${single}hugepages: 1024\n`, "vm ="],
  [
    "machine with options",
    `${base.replace("machine: q35", "machine: type=pc-i440fx-9.0,viommu=virtio")}${single}`,
    "vm =machine-i440fx",
  ],
  [
    "arm has neither board nor kvm64",
    `arch: aarch64\n${base.replace("machine: q35\ncpu: host\n", "")}${single}`,
    "vm -machine-i440fx -cpu-generic",
  ],
  [
    "a device path that the kernel maps",
    `${base}${single}scsi0: /dev/rbd-pve/f/p/vm-100-disk-0,${good}\nscsi1: /dev/rbd/p/x,${good}`,
    "scsi0 =krbd; scsi1 =krbd",
  ],
  [
    "a disk on another storage asks for nothing",
    `${base}scsi0: local:100/vm-100-disk-0.qcow2,size=10G`,
    "scsi0 =",
  ],
  [
    "snapshots' sections are not the VM",
    `${base}${single}scsi0: c:vm-100-disk-0,${good}\n\n[old]\nscsi0: c:vm-100-disk-0,cache=unsafe\nkvm: 0\n`,
    "scsi0 =; vm =",
  ],
];

describe("a Proxmox configuration", () => {
  for (const [title, text, wanted] of cases)
    it(title, () => void expectFindings({ "100.conf": text, "storage.cfg": storage }, wanted));

  it("notes pending changes and examines the current settings", () => {
    const text = `${base}${single}scsi0: c:vm-100-disk-0,${good},cache=unsafe\n\n[PENDING]\nscsi0: c:vm-100-disk-0,${good}\n`;
    const { notes } = expectFindings({ "100.conf": text, "storage.cfg": storage }, "scsi0 +cache-unsafe");
    assert.match(notes.join(), /wait for a restart of the VM \(scsi0\)/);
  });

  it("guesses a storage's type from its name without storage.cfg, and says so", () => {
    const text = `${base}${single}scsi0: ceph-vms:vm-100-disk-0,${good}\nscsi1: local-lvm:vm-100-disk-1,size=1G`;
    const { unseen, disks } = expectFindings({ "100.conf": text }, "scsi0 =; scsi1 =");
    assert.deepEqual(
      disks.map(({ rbd }) => rbd),
      [true, false],
    );
    assert.match(unseen.join(), /storage.cfg/);
  });

  it("gives the whole qm command, with the id from the file's name", () => {
    const { disks } = expectFindings(
      {
        "/etc/pve/qemu-server/117.conf": `${base}${single}scsi0: c:vm-100-disk-0,iothread=1,cache=unsafe`,
        "storage.cfg": storage,
      },
      "scsi0 +cache-unsafe +discard-off",
    );
    const fixes = Object.fromEntries(disks[0]!.findings.map(({ id, fix }) => [id, fix]));
    assert.equal(fixes["cache-unsafe"], "qm set 117 --scsi0 c:vm-100-disk-0,iothread=1");
    assert.equal(
      fixes["discard-off"],
      "qm set 117 --scsi0 c:vm-100-disk-0,iothread=1,cache=unsafe,discard=on",
    );
  });

  it("reports EFI variables that qemu-server before 7.0-7 writes through", () => {
    const text = `${base}${single}bios: ovmf\nefidisk0: c:vm-100-disk-1,size=4M`;
    const versions = (version: string) => `proxmox-ve: 7.0-2\npve-manager: 7.0-8\nqemu-server: ${version}\n`;
    expectFindings(
      { "100.conf": text, "storage.cfg": storage, "pveversion.txt": versions("7.0-7") },
      "efidisk0 =",
    );
    expectFindings(
      { "100.conf": text, "storage.cfg": storage, "pveversion.txt": versions("6.4-2") },
      "efidisk0 +efivars-uncached",
    );
  });

  it("takes monitors and authentication from the storage", () => {
    const external = "rbd: c\n\tmonhost 192.0.2.1\n\tpool p\n\tusername admin\n";
    expectFindings(
      { "100.conf": `${base}${single}scsi0: c:vm-100-disk-0,${good}`, "storage.cfg": external },
      "scsi0 =mon-single",
    );
    const two = external.replace("192.0.2.1", "192.0.2.1;192.0.2.2");
    expectFindings(
      { "100.conf": `${base}${single}scsi0: c:vm-100-disk-0,${good}`, "storage.cfg": two },
      "scsi0 =",
    );
  });
});
