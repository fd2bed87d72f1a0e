import { describe, it } from "node:test";
import { expectFindings } from "../support/expect-findings.ts";

interface Shape {
  title: string;
  /** Attributes of the root element. */
  domain?: string;
  name?: string;
  machine?: string;
  arch?: string;
  emulator?: string;
  vcpu?: number;
  memory?: string;
  cpu?: string;
  head?: string;
  devices: string;
  tail?: string;
  beside?: Record<string, string>;
  wanted: string;
}

const hosts = ["192.0.2.11", "192.0.2.12", "192.0.2.13"]
  .map((name) => `<host name='${name}' port='6789'/>`)
  .join("");
const secret = (user: string) =>
  `<auth username='${user}'><secret type='ceph' uuid='5f0e6a52-0c1b-4a77-9a39-0000000000a1'/></auth>`;

/** A network disk as Nova writes it. */
function disk(name: string, target: string, driver: string, more = "", device = "disk"): string {
  return `<disk type='network' device='${device}'><driver name='qemu' type='raw' ${driver}/>${secret("vmuser")}
<source protocol='rbd' name='${name}'>${hosts}</source><target ${target}/>${more}</disk>`;
}

const nova =
  "<metadata><nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'><nova:flavor name='m1'/></nova:instance></metadata>" +
  "<sysinfo type='smbios'><system><entry name='manufacturer'>OpenStack Foundation</entry></system></sysinfo>";
const good = "cache='none' discard='unmap'";

const shapes: Shape[] = [
  {
    title: "Nova with a root disk, two volumes and a config drive as a CD-ROM in RBD",
    name: "instance-0000002a",
    machine: "pc-q35-8.2",
    head: nova,
    devices:
      disk("vms/5f0e6a52_disk", "dev='vda' bus='virtio'", good) +
      disk("volumes/volume-1", "dev='vdb' bus='virtio'", `${good} io='native'`, "<serial>1</serial>") +
      disk(
        "volumes/volume-2",
        "dev='vdc' bus='virtio'",
        good,
        "<iotune><total_iops_sec>2000</total_iops_sec></iotune>",
      ) +
      disk("vms/5f0e6a52_disk.config", "dev='sda' bus='sata'", "cache='none'", "<readonly/>", "cdrom"),
    wanted:
      "vda =iothread-missing; vdb =iothread-missing =aio-without-effect; vdc =iothread-missing =throttled; sda =; vm =",
  },
  {
    title: "Nova's config drive as a disk (config_drive_format=vfat) is not a data disk",
    name: "instance-0000002b",
    machine: "pc-q35-8.2",
    head: nova,
    devices:
      disk("vms/5f0e6a52_disk", "dev='vda' bus='virtio'", good) +
      disk("vms/5f0e6a52_disk.config", "dev='vdz' bus='virtio'", "cache='none'"),
    wanted: "vda =iothread-missing; vdz =; vm =",
  },
  {
    title: "Nova with hw_scsi_model=virtio-scsi and multi-queue on eight vCPUs",
    name: "instance-0000002c",
    machine: "pc-i440fx-jammy",
    vcpu: 8,
    head: nova,
    devices: `<controller type='scsi' index='0' model='virtio-scsi'><driver queues='8'/></controller>${disk("vms/a_disk", "dev='sda' bus='scsi'", good, "<address type='drive' controller='0' bus='0' target='0' unit='0'/>")}`,
    wanted: "sda =iothread-missing; vm =machine-i440fx",
  },
  {
    title: "a database VM tuned by hand: pinned, huge pages, one node, a thread for each disk",
    machine: "pc-q35-9.0",
    vcpu: 16,
    memory:
      "<memory unit='GiB'>64</memory><memoryBacking><hugepages><page size='1' unit='GiB'/></hugepages></memoryBacking>",
    head: `<iothreads>2</iothreads><cputune><vcpupin vcpu='0' cpuset='2'/><emulatorpin cpuset='0-1'/><iothreadpin iothread='1' cpuset='20'/><iothreadpin iothread='2' cpuset='21'/></cputune><numatune><memory mode='strict' nodeset='0'/></numatune>`,
    devices:
      disk("vms/db-root", "dev='vda' bus='virtio'", `${good} iothread='1'`) +
      disk("vms/db-data", "dev='vdb' bus='virtio'", `${good} iothread='2' queues='4'`),
    wanted: "vda =; vdb =queues-unmapped-iothreads; vm =",
  },
  {
    title: "the same with queues mapped to threads",
    machine: "pc-q35-9.2",
    vcpu: 8,
    head: "<iothreads>4</iothreads>",
    devices: `<disk type='network' device='disk'><driver name='qemu' type='raw' ${good} queues='8'><iothreads><iothread id='1'/><iothread id='2'/><iothread id='3'/><iothread id='4'/></iothreads></driver>${secret("u")}<source protocol='rbd' name='p/i'>${hosts}</source><target dev='vda' bus='virtio'/></disk>`,
    wanted: "vda =; vm =",
  },
  {
    title: "virtio-scsi with a mapping of its queues (libvirt 11.2)",
    machine: "pc-q35-10.0",
    vcpu: 8,
    head: "<iothreads>2</iothreads>",
    devices: `<controller type='scsi' index='0' model='virtio-scsi'><driver queues='8'><iothreads><iothread id='1'/><iothread id='2'/></iothreads></driver></controller>${disk("p/i", "dev='sda' bus='scsi'", good)}`,
    wanted: "sda =; vm =",
  },
  {
    title: "two threads, both disks on the first",
    machine: "q35",
    head: "<iothreads>2</iothreads>",
    devices:
      disk("p/a", "dev='vda' bus='virtio'", `${good} iothread='1'`) +
      disk("p/b", "dev='vdb' bus='virtio'", `${good} iothread='1'`),
    wanted: "vda =; vdb =; vm =iothread-shared",
  },
  {
    title: "weights of the block cgroup are not limits",
    machine: "q35",
    head: "<iothreads>1</iothreads><blkiotune><weight>500</weight></blkiotune><cputune><shares>2048</shares></cputune>",
    devices: disk(
      "p/a",
      "dev='vda' bus='virtio'",
      `${good} iothread='1'`,
      "<iotune><group_name>g</group_name></iotune>",
    ),
    wanted: "vda =; vm =",
  },
  {
    title: "limits of the block cgroup on a disk that the kernel maps",
    machine: "q35",
    head: "<iothreads>1</iothreads><blkiotune><device><path>/dev/rbd0</path><read_iops_sec>500</read_iops_sec></device></blkiotune>",
    devices:
      "<disk type='block' device='disk'><driver name='qemu' type='raw' cache='none' io='native' discard='unmap' iothread='1'/><source dev='/dev/rbd0'/><target dev='vda' bus='virtio'/></disk>",
    wanted: "vda =krbd =throttled; vm =",
  },
  {
    title: "a throttle group of the domain that a disk names (libvirt 11.2), and one that no disk names",
    machine: "q35",
    head: "<iothreads>1</iothreads><throttlegroups><throttlegroup><total_iops_sec>500</total_iops_sec><group_name>slow</group_name></throttlegroup><throttlegroup><total_iops_sec>9</total_iops_sec><group_name>idle</group_name></throttlegroup></throttlegroups>",
    devices:
      disk(
        "p/a",
        "dev='vda' bus='virtio'",
        `${good} iothread='1'`,
        "<throttlefilters><throttlefilter group='slow'/></throttlefilters>",
      ) +
      "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/var/lib/x.qcow2'/><target dev='vdb' bus='virtio'/></disk>",
    wanted: "vda =throttled; vdb =; vm =",
  },
  {
    title: "an ARM server: SCSI without a model is virtio-scsi there",
    machine: "virt-8.2",
    arch: "aarch64",
    emulator: "/usr/bin/qemu-system-aarch64",
    devices: disk("p/a", "dev='sda' bus='scsi'", good),
    wanted: "sda =iothread-missing; vm =",
  },
  {
    title: "an s390x guest on virtio-ccw",
    machine: "s390-ccw-virtio-8.2",
    arch: "s390x",
    emulator: "/usr/bin/qemu-system-s390x",
    head: "<iothreads>1</iothreads>",
    devices: disk("p/a", "dev='vda' bus='virtio'", `${good} iothread='1'`),
    wanted: "vda =; vm =",
  },
  {
    title: "Windows with SATA for the system and virtio for the data",
    machine: "pc-q35-7.2",
    head: "<iothreads>1</iothreads>",
    cpu: "<cpu mode='host-model'/><features><hyperv><relaxed state='on'/></hyperv></features>",
    devices:
      disk("p/c", "dev='sda' bus='sata'", good) +
      disk("p/d", "dev='vda' bus='virtio'", `${good} iothread='1'`) +
      "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='/iso/virtio-win.iso'/><target dev='sdb' bus='sata'/></disk>",
    wanted: "sda =bus-sata; vda =; sdb =; vm =",
  },
  {
    title: "a volume of a pool whose XML is given",
    machine: "q35",
    head: "<iothreads>1</iothreads>",
    devices: `<disk type='volume' device='disk'><driver name='qemu' type='raw' ${good} iothread='1'/><source pool='images' volume='vm1'/><target dev='vda' bus='virtio'/></disk>`,
    beside: {
      "pool.xml": `<pool type='rbd'><name>images</name><source>${hosts}<name>vms</name><auth type='ceph' username='vmuser'><secret uuid='x'/></auth></source></pool>`,
    },
    wanted: "vda =; vm =",
  },
  {
    title: "a volume of a pool that is not among the inputs and has Ceph in its name",
    machine: "q35",
    devices: `<disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='ceph-vms' volume='vm1'/><target dev='vda' bus='virtio'/></disk>`,
    wanted: "vda +cache-librbd-on +iothread-missing +discard-off -auth-none -client-admin -mon-single; vm =",
  },
  {
    title: "an I/O thread through qemu:commandline, as before libvirt supported it",
    domain: " xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'",
    machine: "q35",
    devices: disk("p/a", "dev='vda' bus='virtio'", good),
    tail: "<qemu:commandline><qemu:arg value='-object'/><qemu:arg value='iothread,id=iothread0'/><qemu:arg value='-set'/><qemu:arg value='device.virtio-disk0.iothread=iothread0'/></qemu:commandline>",
    wanted: "vda =; vm =",
  },
  {
    title: "a whole disk through qemu:commandline",
    domain: " xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'",
    machine: "q35",
    devices: "",
    tail: "<qemu:commandline><qemu:arg value='-drive'/><qemu:arg value='file=rbd:vms/a:id=u,if=none,id=extra,format=raw'/><qemu:arg value='-device'/><qemu:arg value='virtio-blk-pci,drive=extra'/></qemu:commandline>",
    wanted: "extra =cache-librbd-on =iothread-missing =discard-off; vm =",
  },
  {
    title: "a pinned machine type of 2019 on 8 vCPUs",
    machine: "pc-q35-4.2",
    vcpu: 8,
    head: "<iothreads>1</iothreads>",
    devices: disk("p/a", "dev='vda' bus='virtio'", `${good} iothread='1'`),
    wanted: "vda =queues-single; vm =",
  },
  {
    title: "the same with two vCPUs",
    machine: "pc-q35-4.2",
    vcpu: 2,
    head: "<iothreads>1</iothreads>",
    devices: disk("p/a", "dev='vda' bus='virtio'", `${good} iothread='1'`),
    wanted: "vda =; vm =",
  },
  {
    title: "the machine type of RHEL 8.2 is QEMU 4.2's, and that of RHEL 9 is newer than 5.2",
    machine: "pc-q35-rhel8.2.0",
    emulator: "/usr/libexec/qemu-kvm",
    vcpu: 4,
    devices: disk("p/a", "dev='vda' bus='virtio'", good),
    wanted: "vda =iothread-missing =queues-single; vm =",
  },
  {
    title: "quotas: of the whole VM below its vCPUs",
    machine: "q35",
    vcpu: 4,
    head: "<iothreads>1</iothreads><cputune><global_period>100000</global_period><global_quota>200000</global_quota></cputune>",
    devices: disk("p/a", "dev='vda' bus='virtio'", `${good} iothread='1'`),
    wanted: "vda =; vm =cpu-limit",
  },
  {
    title: "one monitor, no authentication, read-only CD image in RBD",
    machine: "q35",
    devices:
      "<disk type='network' device='disk'><driver name='qemu' type='raw' cache='none' discard='unmap'/><source protocol='rbd' name='p/a'><host name='192.0.2.1'/></source><target dev='vda' bus='virtio'/></disk>" +
      "<disk type='network' device='cdrom'><driver name='qemu' type='raw'/><source protocol='rbd' name='p/iso'><host name='192.0.2.1'/></source><target dev='sda' bus='sata'/></disk>",
    wanted: "vda =iothread-missing =mon-single =auth-none; sda =; vm =",
  },
  {
    title: "disks that are not on RBD have no findings: iSCSI, NBD, a file, NFS",
    machine: "pc-i440fx-8.2",
    devices:
      "<disk type='network' device='disk'><driver name='qemu' type='raw'/><source protocol='iscsi' name='iqn.x/1'><host name='192.0.2.1'/></source><target dev='vda' bus='virtio'/></disk>" +
      "<disk type='network' device='disk'><driver name='qemu' type='raw'/><source protocol='nbd'><host transport='unix' socket='/run/x'/></source><target dev='vdb' bus='virtio'/></disk>" +
      "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/x'/><target dev='hda' bus='ide'/></disk>",
    wanted: "vda =; vdb =; hda =",
  },
  {
    title: "a namespace of a pool, a snapshot as the source, an encrypted image",
    machine: "q35",
    head: "<iothreads>1</iothreads>",
    devices: `<disk type='network' device='disk'><driver name='qemu' type='raw' ${good} iothread='1'/>${secret("u")}<source protocol='rbd' name='p/tenant/img'>${hosts}<encryption format='luks2' engine='librbd'><secret type='passphrase' uuid='y'/></encryption></source><target dev='vda' bus='virtio'/></disk>`,
    wanted: "vda =; vm =",
  },
  {
    title: "oVirt's managed block disk: mapped by the kernel, aio=threads with cache none",
    machine: "pc-q35-rhel8.6.0",
    emulator: "/usr/libexec/qemu-kvm",
    head: "<iothreads>1</iothreads><metadata><ovirt-vm:vm xmlns:ovirt-vm='http://ovirt.org/vm/1.0'/></metadata>",
    devices:
      "<disk type='block' device='disk' snapshot='no'><driver name='qemu' type='raw' cache='none' error_policy='stop' io='threads' iothread='1' discard='unmap'/><source dev='/dev/rbd/ovirt/volume-1'/><target dev='vda' bus='virtio'/></disk>",
    wanted: "vda =krbd =aio-threads; vm =",
  },
  {
    title: "writeback for a scratch disk and none for the other",
    machine: "q35",
    head: "<iothreads>2</iothreads>",
    devices:
      disk("p/a", "dev='vda' bus='virtio'", "cache='writeback' discard='unmap' iothread='1'") +
      disk("p/b", "dev='vdb' bus='virtio'", `${good} iothread='2'`),
    wanted: "vda =cache-librbd-on =cache-writeback-depends; vdb =; vm =",
  },
  {
    title: "EFI variables in RBD, left to the default cache",
    machine: "q35",
    head: "<iothreads>1</iothreads>",
    devices: disk("p/a", "dev='vda' bus='virtio'", `${good} iothread='1'`),
    tail: "",
    wanted: "vda =; vm =",
  },
];

function render(shape: Shape): string {
  const {
    domain = "",
    name = "vm1",
    machine,
    arch = "x86_64",
    emulator,
    vcpu = 4,
    memory,
    cpu,
    head = "",
    devices,
    tail = "",
  } = shape;
  return `<domain type='kvm'${domain}><name>${name}</name>${memory ?? "<memory unit='GiB'>8</memory>"}<vcpu placement='static'>${vcpu}</vcpu>${head}
<os><type arch='${arch}' machine='${machine}'>hvm</type></os>${cpu ?? "<cpu mode='host-passthrough'/>"}
<devices><emulator>${emulator ?? "/usr/bin/qemu-system-x86_64"}</emulator>${devices}</devices>${tail}</domain>`;
}

describe("common domains", () => {
  for (const shape of shapes)
    it(
      shape.title,
      () => void expectFindings({ "domain.xml": render(shape), ...shape.beside }, shape.wanted),
    );
});
