import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { examine } from "../../src/examine.ts";
import { fixFor } from "../../src/fix/fix.ts";
import { expectFindings } from "../support/expect-findings.ts";

const storage = `dir: local
	path /var/lib/vz
	content iso,backup,snippets

lvmthin: local-lvm
	thinpool data
	vgname pve
	content images,rootdir

rbd: ceph
	content images,rootdir
	krbd 0
	pool vms

rbd: fast
	content images
	krbd 1
	pool nvme

rbd: away
	content images
	monhost 192.0.2.1
	pool vms
	username pve

cephfs: cephfs
	path /mnt/pve/cephfs
	content iso,vztmpl
`;

const config = (lines: string) =>
  `agent: 1\nboot: order=scsi0\ncores: 4\ncpu: host\nmachine: q35\nmemory: 8192\nname: vm\nostype: l26\nscsihw: virtio-scsi-single\n${lines}`;

const shapes: { title: string; text: string; storage?: string; wanted: string }[] = [
  {
    title:
      "one of every kind: RBD by both ways, LVM, passed through, an ISO image, cloud-init, EFI and TPM on one monitor",
    text: config(`efidisk0: away:vm-101-disk-4,efitype=4m,size=528K
ide2: cephfs:iso/debian-13.iso,media=cdrom,size=700M
ide3: away:vm-101-cloudinit,media=cdrom,size=4M
sata5: none,media=cdrom
scsi0: ceph:vm-101-disk-0,backup=0,discard=on,iothread=1,replicate=0,size=32G,ssd=1
scsi1: fast:vm-101-disk-1,discard=on,iothread=1,size=320G
scsi2: local-lvm:vm-101-disk-2,size=10G
scsi3: /dev/disk/by-id/nvme-Samsung_SSD_x,size=953869M
tpmstate0: away:vm-101-disk-5,size=4M,version=v2.0
unused0: ceph:vm-101-disk-9
`),
    wanted: "scsi0 =; scsi1 =krbd; scsi2 =; scsi3 =; efidisk0 =; ide2 =; ide3 =; tpmstate0 =; vm =",
  },
  {
    title: "a data disk of the storage with one monitor; a read-only one",
    text: config(
      "scsi0: away:vm-101-disk-0,discard=on,iothread=1\nvirtio1: ceph:vm-102-disk-0,iothread=1,ro=1\n",
    ),
    wanted: "scsi0 =mon-single; virtio1 =; vm =",
  },
  {
    title: "hot-pluggable vCPUs, pinned cores, hugepages of any size",
    text: config(
      "affinity: 0-7\nhotplug: disk,network,usb,cpu\nhugepages: any\nnuma: 1\nnuma0: cpus=0-7,hostnodes=0,memory=65536,policy=bind\nscsi0: ceph:vm-101-disk-0,discard=on,iothread=1,queues=8\nsockets: 1\nvcpus: 2\n",
    )
      .replace("cores: 4", "cores: 8")
      .replace("memory: 8192", "memory: 65536"),
    wanted: "scsi0 =queues-unmapped-iothreads; vm =",
  },
  {
    title: "notes that look like settings, a lock, tags, a hook",
    text: `#scsi1%3A ceph%3Avm-101-disk-1\n#cpu: kvm64\n#iothread=0\n${config(
      "hookscript: local:snippets/hook.pl\nlock: backup\nprotection: 1\nscsi0: ceph:vm-101-disk-0,cache=none,discard=on,iothread=1\nstartup: order=1\ntags: prod;db\nvmgenid: 5f0e6a52-0c1b-4a77-9a39-0000000000a1\n",
    )}`,
    wanted: "disks scsi0; scsi0 =; vm =",
  },
  {
    title: "a VM of Proxmox 5 with bootdisk, the old controller's name and no discard",
    text: "balloon: 1024\nboot: cdn\nbootdisk: virtio0\ncores: 2\ncpu: Westmere,flags=+pcid\nide2: none,media=cdrom\nmachine: q35\nmemory: 4096\nname: old\nscsihw: virtio-scsi-pci\nsockets: 1\nvirtio0: ceph:vm-101-disk-1,size=32G\n",
    wanted: "disks virtio0; virtio0 =discard-off =iothread-missing; vm =",
  },
  {
    title: "no storage.cfg: CephFS is not RBD",
    text: config("scsi0: cephfs:101/vm-101-disk-0.qcow2,iothread=1,size=32G\n"),
    storage: "",
    wanted: "scsi0 =; vm =",
  },
  {
    title: "qm pending: the settings in force count, pending ones become a note",
    text: "cur boot: order=scsi0\ncur cores: 4\nnew cores: 8\ncur cpu: host\ncur machine: q35\ndel machine: q35\ncur memory: 8192\ncur name: vm\ncur scsi0: ceph:vm-101-disk-0,discard=on,iothread=1,size=32G\nnew scsi0: ceph:vm-101-disk-0,cache=unsafe,size=32G\ncur scsihw: virtio-scsi-single\nnew cpu: kvm64\n",
    wanted: "disks scsi0; scsi0 =; vm =",
  },
  {
    title: "pvesh get .../config --output-format json",
    text: JSON.stringify({
      ...{ boot: "order=scsi0", cores: 4, cpu: "kvm64", digest: "0123456789abcdef", machine: "q35" },
      ...{ memory: "8192", name: "vm", scsihw: "lsi", scsi0: "ceph:vm-101-disk-0,discard=on,size=32G" },
    }),
    wanted: "disks scsi0; scsi0 =scsi-lsi; vm =cpu-generic",
  },
  {
    title: "the API's answer from curl, wrapped in data",
    text: JSON.stringify(
      {
        data: {
          ...{ cores: 4, cpu: "host", digest: "0123456789abcdef", machine: "q35", memory: "8192" },
          ...{ scsihw: "virtio-scsi-single", scsi0: "fast:vm-101-disk-0,iothread=1,size=32G" },
        },
      },
      null,
      2,
    ),
    wanted: "disks scsi0; scsi0 =krbd =discard-off; vm =",
  },
  {
    title: "pvesh get .../pending: a list of keys with values",
    text: JSON.stringify([
      { key: "cores", value: 4, pending: 8 },
      { key: "cpu", value: "host" },
      { key: "machine", value: "q35" },
      { key: "memory", value: "8192" },
      { key: "scsi0", value: "ceph:vm-101-disk-0,discard=on,iothread=1,size=32G" },
      { key: "scsihw", value: "virtio-scsi-single" },
    ]),
    wanted: "disks scsi0; scsi0 =; vm =",
  },
  {
    title: "a container: pct config",
    text: "arch: amd64\ncores: 2\nfeatures: nesting=1\nhostname: web\nmemory: 512\nmp0: ceph:vm-103-disk-1,mp=/srv,size=8G\nnet0: name=eth0,bridge=vmbr0\nostype: debian\nrootfs: ceph:vm-103-disk-0,size=8G\nswap: 512\nunprivileged: 1\n",
    wanted: "disks mp0 rootfs; mp0 =krbd; rootfs =krbd; vm =",
  },
];

describe("unusual Proxmox configurations", () => {
  for (const { title, text, storage: given, wanted } of shapes)
    it(title, () => {
      const beside = given ?? storage;
      expectFindings({ "input.txt": text, ...(beside !== "" && { "storage.cfg": beside }) }, wanted);
    });

  it("pending changes are noted, whichever command listed them", () => {
    for (const { text } of shapes.filter(({ title }) => /pending/.test(title))) {
      const [examination] = examine([{ name: "x", text }]);
      assert.match(examination!.notes.join("\n"), /Changes wait for a restart of the VM \(.*cores/);
    }
  });

  it("a command's output gets no patch: the fix is a command", () => {
    const listing = shapes.find(({ title }) => title.startsWith("pvesh get .../config"))!.text;
    const { patches, words } = fixFor([{ name: "x", text: listing }], "scsi-lsi");
    assert.deepEqual(patches, []);
    assert.match(words[0]!, /^qm set 101 --scsihw virtio-scsi-single/);
  });
});
