import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { examine } from "../../src/examine.ts";
import { expectFindings } from "../support/expect-findings.ts";

interface Shape {
  title: string;
  devices: string;
  head?: string;
  vcpu?: string;
  os?: string;
  cpu?: string;
  tail?: string;
  emulator?: string;
  wanted: string;
}

const hosts = "<host name='192.0.2.11' port='3300'/><host name='192.0.2.12' port='3300'/>";
const auth = "<auth username='vmuser'><secret type='ceph' usage='client.vmuser secret'/></auth>";
const good = "cache='none' discard='unmap'";

function disk(target: string, driver: string, more = "", attributes = ""): string {
  return `<disk type='network' device='disk'${attributes}><driver name='qemu' type='raw' ${driver}/>${auth}<source protocol='rbd' name='p/${target}'>${hosts}</source><backingStore/><target dev='${target}' bus='virtio'/>${more}</disk>`;
}

/** A disk without findings; only its thread varies. */
const tuned = (target: string, thread = 1) => disk(target, `${good} iothread='${thread}'`);

const shapes: Shape[] = [
  {
    title: "everything that virsh dumpxml adds to a running disk",
    head: "<iothreads>1</iothreads>",
    devices: `<disk type='network' device='disk' snapshot='external' model='virtio-non-transitional'><driver name='qemu' type='raw' cache='none' error_policy='stop' rerror_policy='report' io='native' ioeventfd='on' event_idx='on' copy_on_read='off' discard='unmap' detect_zeroes='off' queue_size='512' packed='on' iothread='1' iommu='on' ats='on'/>${auth}<source protocol='rbd' name='p/vda' index='1'>${hosts}<privateData/></source><backingStore/><target dev='vda' bus='virtio' rotation_rate='1'/><serial>x</serial><wwn>5000c50015ea71ad</wwn><boot order='1'/><alias name='virtio-disk0'/><address type='pci' domain='0x0000' bus='0x04' slot='0x00' function='0x0'/></disk>`,
    wanted: "disks vda; vda =aio-without-effect; vm =",
  },
  {
    title: "a mirror to another image is a job, not a disk",
    head: "<iothreads>1</iothreads>",
    devices: disk(
      "vda",
      `${good} iothread='1'`,
      "<mirror type='network' job='copy' ready='yes'><format type='raw'/><source protocol='rbd' name='other/vda'/></mirror>",
    ),
    wanted: "disks vda; vda =; vm =",
  },
  {
    title: "a read-only disk and one that VMs share",
    head: "<iothreads>2</iothreads>",
    devices:
      disk("vda", "cache='none' iothread='1'", "<readonly/>") +
      disk("vdb", `${good} iothread='2'`, "<shareable/>"),
    wanted: "vda =; vdb =; vm =",
  },
  {
    title: "polling threads declared only by their ids, and used by no disk",
    head: "<iothreadids><iothread id='4' thread_pool_min='8' thread_pool_max='16'><poll max='32768' grow='4' shrink='2'/></iothread></iothreadids>",
    devices: disk("vda", good),
    wanted: "vda =; vm =iothread-without-effect",
  },
  {
    title: "the same, used",
    head: "<iothreadids><iothread id='4'><poll max='32768'/></iothread></iothreadids><defaultiothread thread_pool_min='8' thread_pool_max='16'/>",
    devices: tuned("vda", 4),
    wanted: "vda =; vm =",
  },
  {
    title: "hot-pluggable vCPUs count for queues",
    vcpu: "<vcpu placement='static' current='2'>8</vcpu>",
    head: "<iothreads>1</iothreads>",
    devices: disk("vda", `${good} queues='8'`),
    wanted: "vda -queues-beyond-vcpus; vm +iothread-without-effect",
  },
  {
    title: "USB, SATA CD-ROMs full and empty, a floppy in RBD",
    head: "<iothreads>1</iothreads>",
    devices: `${tuned("vda")}<disk type='network' device='disk'><driver name='qemu' type='raw' ${good}/>${auth}<source protocol='rbd' name='p/stick'>${hosts}</source><target dev='sdx' bus='usb'/></disk>
<disk type='network' device='cdrom'><driver name='qemu' type='raw'/>${auth}<source protocol='rbd' name='p/win.iso'><host name='192.0.2.11'/></source><target dev='sda' bus='sata'/><readonly/></disk>
<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='sdb' bus='sata'/><readonly/></disk>
<disk type='network' device='floppy'><driver name='qemu' type='raw'/><source protocol='rbd' name='p/floppy'><host name='192.0.2.11'/></source><target dev='fda' bus='fdc'/></disk>`,
    wanted: "vda =; sdx =; sda =; sdb =; fda =; vm =",
  },
  {
    title: "devices that are not visibly on RBD",
    head: "<iothreads>1</iothreads>",
    devices: `<disk type='block' device='disk'><driver name='qemu' type='raw' cache='none' io='threads'/><source dev='/dev/mapper/mpatha'/><target dev='vda' bus='virtio'/></disk>
<disk type='block' device='lun'><driver name='qemu' type='raw'/><source dev='/dev/disk/by-id/wwn-0x5000'><reservations managed='yes'/></source><target dev='sda' bus='scsi'/></disk>
<disk type='nvme' device='disk'><driver name='qemu' type='raw'/><source type='pci' managed='yes' namespace='1'><address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source><target dev='vdb' bus='virtio'/></disk>
<disk type='vhostvdpa' device='disk'><driver name='qemu' type='raw' cache='none' io='threads'/><source dev='/dev/vhost-vdpa-0'/><target dev='vdc' bus='virtio'/></disk>`,
    wanted: "vda =; sda =; vdb =; vdc =; vm -iothread-without-effect",
  },
  {
    title: "the kernel's device with threads for each request",
    head: "<iothreads>1</iothreads>",
    devices: `<disk type='block' device='disk'><driver name='qemu' type='raw' cache='none' io='threads' discard='unmap' iothread='1'/><source dev='/dev/rbd/p/vda' index='2'/><backingStore/><target dev='vda' bus='virtio'/></disk>`,
    wanted: "vda =krbd =aio-threads; vm =",
  },
  {
    title: "limits that are all zero do not count",
    head: "<iothreads>1</iothreads>",
    devices: disk(
      "vda",
      `${good} iothread='1'`,
      "<iotune><total_bytes_sec>0</total_bytes_sec><total_iops_sec>0</total_iops_sec><group_name>g</group_name></iotune>",
    ),
    wanted: "vda =; vm =",
  },
  {
    title: "pins of everything to one node's cores, a quota of -1, weights",
    head: "<iothreads>1</iothreads><cputune><shares>2048</shares><period>100000</period><quota>-1</quota><vcpupin vcpu='0' cpuset='4'/><vcpupin vcpu='1' cpuset='5'/><emulatorpin cpuset='6'/><iothreadpin iothread='1' cpuset='7'/></cputune><numatune><memory mode='strict' nodeset='0'/></numatune>",
    devices: tuned("vda"),
    wanted: "vda =; vm =",
  },
  {
    title: "a quota for more than the vCPUs, as KubeVirt and Nova write it",
    head: "<iothreads>1</iothreads><cputune><period>100000</period><quota>200000</quota></cputune>",
    devices: tuned("vda"),
    wanted: "vda =; vm =",
  },
  {
    title: "ARM with EFI variables in RBD and no cache mode",
    os: "<os><type arch='aarch64' machine='virt-9.0'>hvm</type><loader readonly='yes' type='pflash'>/usr/share/AAVMF/AAVMF_CODE.fd</loader><nvram type='network' templateFormat='raw' format='raw'><source protocol='rbd' name='p/vars'><host name='192.0.2.11'/></source></nvram></os>",
    head: "<iothreads>1</iothreads>",
    devices: tuned("vda"),
    emulator: "/usr/bin/qemu-system-aarch64",
    wanted: "nvram =efivars-uncached; vda =; vm =",
  },
  {
    title: "EFI variables in a file, made from a template",
    os: "<os firmware='efi'><type arch='x86_64' machine='pc-q35-9.0'>hvm</type><nvram template='/usr/share/OVMF/OVMF_VARS.fd'>/var/lib/libvirt/qemu/nvram/x.fd</nvram></os>",
    head: "<iothreads>1</iothreads>",
    devices: tuned("vda"),
    wanted: "disks vda; vda =; vm =",
  },
  {
    title: "auth in its legacy place, no hosts: ceph.conf has the monitors",
    head: "<iothreads>1</iothreads>",
    devices: `<disk type='network' device='disk'><driver name='qemu' type='raw' ${good} iothread='1'/><source protocol='rbd' name='p/vda'/><auth username='vmuser'><secret type='ceph' uuid='5f0e6a52-0c1b-4a77-9a39-0000000000a1'/></auth><target dev='vda' bus='virtio'/></disk>`,
    wanted: "vda =; vm =",
  },
  {
    title: "SCSI disks on two controllers: LSI by default for one, virtio for the other",
    head: "<iothreads>1</iothreads>",
    emulator: "/usr/bin/kvm",
    devices: `<controller type='scsi' index='0'/><controller type='scsi' index='1' model='virtio-scsi'><driver iothread='1' queues='4'/></controller>
${tuned("sda").replace("bus='virtio'/>", "bus='scsi'/><address type='drive' controller='0' bus='0' target='0' unit='0'/>").replace(" iothread='1'", "")}
${tuned("sdb").replace("bus='virtio'/>", "bus='scsi'/><address type='drive' controller='1' bus='0' target='0' unit='0'/>").replace(" iothread='1'", "")}`,
    wanted: "sda =scsi-lsi; sdb =queues-unmapped-iothreads; vm =",
  },
  {
    title: "a q35 with all its root ports, TPM, watchdog, memory balloon, host devices",
    head: "<iothreads>1</iothreads><memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>",
    devices: `${Array.from({ length: 14 }, (_, index) => `<controller type='pci' index='${index + 1}' model='pcie-root-port'/>`).join("")}<controller type='scsi' index='0' model='virtio-scsi'/><controller type='sata' index='0'/><tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm><hostdev mode='subsystem' type='pci' managed='yes'/><filesystem type='mount'><driver type='virtiofs'/><source dir='/srv'/><target dir='srv'/></filesystem><memballoon model='virtio'/>${tuned("vda")}`,
    wanted: "disks vda; vda =; vm =",
  },
  {
    title: "CPU models as people name them",
    cpu: "<cpu mode='custom' match='exact' check='partial'><model fallback='allow'>Skylake-Client-IBRS</model><feature policy='require' name='vmx'/></cpu>",
    head: "<iothreads>1</iothreads>",
    devices: tuned("vda"),
    wanted: "vda =; vm =",
  },
  {
    title: "a topology without a model is QEMU's generic CPU",
    cpu: "<cpu><topology sockets='1' cores='4' threads='1'/></cpu>",
    head: "<iothreads>1</iothreads>",
    devices: tuned("vda"),
    wanted: "vda =; vm =cpu-generic",
  },
];

function render({ devices, head = "", vcpu, os, cpu, tail = "", emulator }: Shape): string {
  return `<domain type='kvm' id='3'><name>vm1</name><memory unit='KiB'>8388608</memory><currentMemory unit='KiB'>8388608</currentMemory>${vcpu ?? "<vcpu>4</vcpu>"}${head}
${os ?? "<os><type arch='x86_64' machine='pc-q35-9.0'>hvm</type></os>"}${cpu ?? "<cpu mode='host-model'/>"}
<devices><emulator>${emulator ?? "/usr/bin/qemu-system-x86_64"}</emulator>${devices}</devices>${tail}</domain>`;
}

describe("unusual domains", () => {
  for (const shape of shapes)
    it(shape.title, () => void expectFindings({ "domain.xml": render(shape) }, shape.wanted));

  it("a checkpoint holds its domain", () => {
    const domain = render({ title: "", head: "<iothreads>1</iothreads>", devices: tuned("vda"), wanted: "" });
    expectFindings(
      { "checkpoint.xml": `<domaincheckpoint><name>c1</name>${domain}</domaincheckpoint>` },
      "disks vda; vda =; vm =",
    );
  });

  it("KubeVirt's own domain: the data behind a pod's device are listed as unseen", () => {
    const [examination] = examine([
      {
        name: "domain.xml",
        text: render({
          title: "",
          head: "<metadata><kubevirt xmlns='http://kubevirt.io'><uid/></kubevirt></metadata><iothreads>1</iothreads>",
          emulator: "/usr/libexec/qemu-kvm",
          devices:
            "<disk type='block' device='disk' model='virtio-non-transitional'><driver name='qemu' type='raw' cache='none' error_policy='stop' discard='unmap' io='native' iothread='1'/><source dev='/dev/rootdisk' index='2'/><target dev='vda' bus='virtio'/></disk>",
          wanted: "",
        }),
      },
    ]);
    assert.deepEqual([examination?.disks[0]?.rbd, examination?.disks[0]?.findings], [false, []]);
    assert.match(examination!.unseen.join("\n"), /behind \/dev\/rootdisk: .*kubectl get vm,pvc,storageclass/);
  });

  it("a Xen domain is refused with a sentence", () => {
    const text = "<domain type='xen'><name>x</name><devices/></domain>";
    assert.throws(() => examine([{ name: "x.xml", text }]), /x\.xml describes a domain of type xen/);
  });
});
