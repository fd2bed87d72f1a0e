import { describe, it } from "node:test";
import { expectFindings } from "../support/expect-findings.ts";

interface Shape {
  title: string;
  /** Lines added to those of every VM here; a line with the same key replaces one. */
  lines: string;
  /** Keys of lines that this VM lacks. */
  without?: string[];
  storage?: string | null;
  after?: string;
  beside?: Record<string, string>;
  wanted: string;
}

const common =
  "boot: order=scsi0\ncores: 4\ncpu: host\nmachine: q35\nmemory: 8192\nname: vm\nnuma: 0\nostype: l26\nscsihw: virtio-scsi-single\nsockets: 1\n";
const ceph = "rbd: ceph\n\tcontent images\n\tkrbd 0\n\tpool vms\n";
const kernel = "rbd: ceph\n\tcontent images\n\tkrbd 1\n\tpool vms\n";

const shapes: Shape[] = [
  {
    title:
      "the installer's defaults of Proxmox 8: one SCSI disk, its own thread, x86-64-v2-AES, i440fx by default",
    lines:
      "cpu: x86-64-v2-AES\nide2: none,media=cdrom\nnet0: virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1\nscsi0: ceph:vm-101-disk-0,iothread=1,size=32G",
    without: ["machine"],
    wanted: "scsi0 =discard-off; vm =machine-i440fx",
  },
  {
    title: "a cloud-init drive, EFI disk and TPM state in RBD are not data disks",
    lines:
      "bios: ovmf\nefidisk0: ceph:vm-101-disk-1,efitype=4m,pre-enrolled-keys=1,size=528K\nide2: ceph:vm-101-cloudinit,media=cdrom,size=4M\nscsi0: ceph:vm-101-disk-0,discard=on,iothread=1,size=32G,ssd=1\ntpmstate0: ceph:vm-101-disk-2,size=4M,version=v2.0",
    wanted: "scsi0 =; efidisk0 =; ide2 =; tpmstate0 =; vm =",
  },
  {
    title: "pending changes and snapshots do not count",
    lines: "scsi0: ceph:vm-101-disk-0,discard=on,iothread=1,size=32G",
    after:
      "\n[PENDING]\ncache: x\nscsi0: ceph:vm-101-disk-0,cache=unsafe,size=32G\ncpu: kvm64\n\n[before-upgrade]\nide0: ceph:vm-101-disk-0,size=32G\nmachine: pc-i440fx-5.1\nsnaptime: 1700000000\nvmstate: ceph:vm-101-state-before-upgrade\n",
    wanted: "scsi0 =; vm =",
  },
  {
    title: "args: with a CPU and a disk of their own",
    lines:
      "args: -cpu host,+invtsc -drive file=rbd:vms/extra:id=u,if=none,id=extra,format=raw,cache=none,discard=unmap -device virtio-blk-pci,drive=extra\nscsi0: ceph:vm-101-disk-0,discard=on,iothread=1",
    without: ["cpu"],
    wanted: "scsi0 =; extra =iothread-missing; vm =",
  },
  {
    title: "args: that give the SCSI controller queues",
    lines: "args: -global virtio-scsi-pci.num_queues=4\nscsi0: ceph:vm-101-disk-0,discard=on,iothread=1",
    wanted: "scsi0 -bus-ide; vm =",
  },
  {
    title: "mapped by the kernel, on virtio-blk with a thread",
    lines: "virtio0: ceph:vm-101-disk-0,discard=on,iothread=1,size=100G\nscsihw: virtio-scsi-pci",
    storage: kernel,
    wanted: "virtio0 =krbd; vm =",
  },
  {
    title: "mapped by the kernel, with writeback and threads",
    lines: "scsi0: ceph:vm-101-disk-0,aio=threads,cache=writeback,discard=on,iothread=1",
    storage: kernel,
    wanted: "scsi0 =krbd =cache-writeback-depends; vm =",
  },
  {
    title: "mapped by the kernel, threads without a cache",
    lines: "scsi0: ceph:vm-101-disk-0,aio=threads,discard=on,iothread=1",
    storage: kernel,
    wanted: "scsi0 =krbd =aio-threads; vm =",
  },
  {
    title: "librbd: aio= does nothing",
    lines: "scsi0: ceph:vm-101-disk-0,aio=native,discard=on,iothread=1",
    wanted: "scsi0 =aio-without-effect; vm =",
  },
  {
    title: "virtio-scsi-pci with iothread=1 on both disks",
    lines:
      "scsihw: virtio-scsi-pci\nscsi0: ceph:vm-101-disk-0,discard=on,iothread=1\nscsi1: ceph:vm-101-disk-1,discard=on,iothread=1",
    wanted: "scsi0 =iothread-without-effect; scsi1 =iothread-without-effect; vm =",
  },
  {
    title: "mixed buses: disks that are not on RBD have no findings",
    lines:
      "sata0: ceph:vm-101-disk-0,size=10G\nide0: local-lvm:vm-101-disk-9,size=4M\nvirtio1: ceph:vm-101-disk-1,discard=on\nscsi3: local-lvm:vm-101-disk-2,cache=unsafe",
    storage: `${ceph}\nlvmthin: local-lvm\n\tthinpool data\n\tvgname pve\n\tcontent rootdir,images\n`,
    wanted: "sata0 =bus-sata =discard-off; ide0 =; virtio1 =iothread-missing; scsi3 =; vm =",
  },
  {
    title: "an outside cluster with one monitor",
    lines: "scsi0: outside:vm-101-disk-0,discard=on,iothread=1",
    storage:
      "rbd: outside\n\tcontent images\n\tmonhost 192.0.2.11\n\tpool vms\n\tusername vmuser\n\tkrbd 0\n",
    wanted: "scsi0 =mon-single; vm =",
  },
  {
    title: "an outside cluster with three, a namespace and a pool of erasure-coded data",
    lines: "scsi0: outside:vm-101-disk-0,discard=on,iothread=1",
    storage:
      "rbd: outside\n\tcontent images\n\tmonhost 192.0.2.11 192.0.2.12 192.0.2.13\n\tpool vms\n\tdata-pool vms-ec\n\tnamespace lab\n\tusername vmuser\n",
    wanted: "scsi0 =; vm =",
  },
  {
    title: "a linked clone, and the template itself",
    lines: "scsi0: ceph:base-900-disk-0/vm-101-disk-0,discard=on,iothread=1",
    wanted: "scsi0 =clone-unflattened; vm =",
  },
  {
    title: "a template",
    lines: "template: 1\nscsi0: ceph:base-900-disk-0,discard=on,iothread=1",
    wanted: "scsi0 =; vm =",
  },
  {
    title: "Windows with a machine that was pinned in 2020, on four cores",
    lines: "machine: pc-q35-5.1\nostype: win10\nscsi0: ceph:vm-101-disk-0,discard=on,iothread=1",
    wanted: "scsi0 =queues-single; vm =",
  },
  {
    title: "Windows with a pinned machine of today and a virtual IOMMU",
    lines:
      "machine: pc-q35-9.2+pve1,viommu=virtio\nostype: win11\nscsi0: ceph:vm-101-disk-0,discard=on,iothread=1",
    wanted: "scsi0 =; vm =",
  },
  {
    title: "kvm64 with AES is still generic",
    lines: "cpu: kvm64,flags=+aes\nscsi0: ceph:vm-101-disk-0,discard=on,iothread=1",
    wanted: "scsi0 =; vm =cpu-generic",
  },
  {
    title: "a custom model",
    lines: "cpu: custom-fleet\nscsi0: ceph:vm-101-disk-0,discard=on,iothread=1",
    wanted: "scsi0 =; vm =",
  },
  {
    title: "two sockets bound to two nodes, with huge pages",
    lines:
      "hugepages: 1024\nmemory: 65536\nnuma: 1\nnuma0: cpus=0-3,hostnodes=0,memory=32768,policy=bind\nnuma1: cpus=4-7,hostnodes=1,memory=32768,policy=bind\nsockets: 2\nscsi0: ceph:vm-101-disk-0,discard=on,iothread=1",
    wanted: "scsi0 =; vm =",
  },
  {
    title: "limits: bytes and requests; a limit of 0 is none",
    lines:
      "cpulimit: 0\nscsi0: ceph:vm-101-disk-0,discard=on,iothread=1,mbps_rd=200,iops_wr_max=1000\nscsi1: ceph:vm-101-disk-1,discard=on,iops=0,iothread=1",
    wanted: "scsi0 =throttled; scsi1 =; vm =",
  },
  {
    title: "half of a CPU, as a limit",
    lines: "cpulimit: 2.5\nscsi0: ceph:vm-101-disk-0,discard=on,iothread=1",
    wanted: "scsi0 =; vm =cpu-limit",
  },
  {
    title: "adapters that are neither LSI nor virtio",
    lines: "scsihw: pvscsi\nscsi0: ceph:vm-101-disk-0,discard=on",
    wanted: "scsi0 =; vm =",
  },
  {
    title: "megasas",
    lines: "scsihw: megasas\nscsi0: ceph:vm-101-disk-0,discard=on",
    wanted: "scsi0 -scsi-lsi -iothread-missing; vm =",
  },
  {
    title: "an ARM guest",
    lines: "arch: aarch64\nbios: ovmf\nscsi0: ceph:vm-101-disk-0,discard=on,iothread=1",
    without: ["machine", "cpu"],
    wanted: "scsi0 =; vm =",
  },
  {
    title: "no storage.cfg: a storage's name suggests RBD",
    lines: "scsi0: rbd_ssd:vm-101-disk-0,discard=on\nscsi1: local-zfs:vm-101-disk-1",
    storage: null,
    wanted: "scsi0 =iothread-missing; scsi1 =; vm =",
  },
  {
    title: "a container is not a VM: no board, CPU model or thread",
    lines:
      "arch: amd64\nhostname: ct1\nmp0: ceph:vm-101-disk-1,mp=/srv,size=8G\nonboot: 1\nrootfs: ceph:vm-101-disk-0,size=8G\nunprivileged: 1\nswap: 512",
    without: ["boot", "cpu", "machine", "name", "numa", "scsihw", "sockets"],
    wanted: "rootfs =krbd; mp0 =krbd; vm =",
  },
  {
    title: "disks by their path",
    lines: "scsi0: /dev/rbd/vms/byhand,discard=on,iothread=1\nscsi1: /dev/disk/by-id/ata-X,size=1T",
    wanted: "scsi0 =krbd; scsi1 =; vm =",
  },
  {
    title: "directsync and writethrough",
    lines:
      "scsi0: ceph:vm-101-disk-0,cache=directsync,discard=on,iothread=1\nscsi1: ceph:vm-101-disk-1,cache=writethrough,discard=on,iothread=1",
    wanted: "scsi0 =; scsi1 +cache-librbd-on -cache-unsafe; vm =",
  },
];

function render({ lines, without = [], after = "" }: Shape): string {
  const keys = new Set(lines.split("\n").map((line) => line.slice(0, line.indexOf(":"))));
  const kept = common
    .split("\n")
    .filter((line) => line !== "" && ![...keys, ...without].includes(line.slice(0, line.indexOf(":"))));
  return `${[...kept, ...lines.split("\n")].sort().join("\n")}\n${after}`;
}

describe("common Proxmox configurations", () => {
  for (const shape of shapes)
    it(shape.title, () => {
      const storage = shape.storage === undefined ? ceph : shape.storage;
      const files = { "101.conf": render(shape), ...(storage !== null && { "storage.cfg": storage }) };
      expectFindings({ ...files, ...shape.beside }, shape.wanted);
    });
});
