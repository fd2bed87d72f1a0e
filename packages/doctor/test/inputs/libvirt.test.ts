import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { examine } from "../../src/examine.ts";
import { expectFindings } from "../support/expect-findings.ts";

interface Parts {
  type?: string;
  machine?: string;
  emulator?: string;
  head?: string;
  vcpu?: string;
  cpu?: string;
  devices?: string;
}

function domain({ type, machine, emulator, head, vcpu, cpu, devices }: Parts): string {
  return `<domain type='${type ?? "kvm"}'><name>vm</name><memory unit='GiB'>4</memory><vcpu>${vcpu ?? 4}</vcpu>${head ?? ""}
<os><type arch='x86_64'${machine === "" ? "" : ` machine='${machine ?? "q35"}'`}>hvm</type></os>${cpu ?? "<cpu mode='host-passthrough'/>"}
<devices><emulator>${emulator ?? "/usr/bin/qemu-system-x86_64"}</emulator>${devices ?? ""}</devices></domain>`;
}

const auth = "<auth username='u'><secret type='ceph' uuid='x'/></auth>";
const hosts = "<host name='192.0.2.1'/><host name='192.0.2.2'/>";

function rbd(driver: string, target = "dev='vda' bus='virtio'", inside = ""): string {
  return `<disk type='network' device='disk'><driver name='qemu' ${driver}/>${auth}<source protocol='rbd' name='p/i'>${hosts}</source><target ${target}/>${inside}</disk>`;
}

const good = "type='raw' cache='none' discard='unmap'";
const threads = "<iothreads>2</iothreads>";

const cases: [title: string, parts: Parts, wanted: string][] = [
  [
    "a well-made domain has nothing to mend",
    { head: threads, devices: rbd(`${good} iothread='1'`) },
    "vda =; vm =",
  ],
  [
    "threads that nobody names are said once, of the VM",
    { head: threads, devices: rbd(good) },
    "vda =; vm =iothread-without-effect",
  ],
  [
    "threads that one disk uses are missed at the other",
    { head: threads, devices: rbd(`${good} iothread='1'`) + rbd(good, "dev='vdb' bus='virtio'") },
    "vda =; vdb =iothread-missing; vm =",
  ],
  [
    "the same number is the same thread",
    {
      head: threads,
      devices: rbd(`${good} iothread='1'`) + rbd(`${good} iothread='1'`, "dev='vdb' bus='virtio'"),
    },
    "vm =iothread-shared",
  ],
  [
    "a virtio-scsi controller has the thread of its disks, and their queues",
    {
      head: threads,
      devices: `<controller type='scsi' index='0' model='virtio-scsi'><driver iothread='1' queues='4'/></controller>${rbd(good, "dev='sda' bus='scsi'")}`,
    },
    "sda =queues-unmapped-iothreads; vm =",
  ],
  [
    "<iothreads> in <driver> map queues",
    {
      head: threads,
      devices: `<disk type='network' device='disk'><driver name='qemu' ${good} queues='4'><iothreads><iothread id='1'/><iothread id='2'/></iothreads></driver>${auth}<source protocol='rbd' name='p/i'>${hosts}</source><target dev='vda' bus='virtio'/></disk>`,
    },
    "vda =; vm =",
  ],
  [
    "a SCSI disk of Red Hat's QEMU without a controller model is on virtio-scsi, upstream's on LSI",
    {
      machine: "pc-q35-rhel9.2.0",
      emulator: "/usr/libexec/qemu-kvm",
      devices: rbd(good, "dev='sda' bus='scsi'"),
    },
    "sda =iothread-missing",
  ],
  [
    "lsilogic is LSI, and its iothread is no matter",
    {
      devices: `<controller type='scsi' index='0' model='lsilogic'/>${rbd(good, "dev='sda' bus='scsi'")}`,
    },
    "sda =scsi-lsi",
  ],
  [
    "the controller that the disk's address names counts",
    {
      devices: `<controller type='scsi' index='0' model='lsilogic'/><controller type='scsi' index='1' model='virtio-scsi'/>${rbd(good, "dev='sda' bus='scsi'", "<address type='drive' controller='1' bus='0' target='0' unit='0'/>")}`,
    },
    "sda =iothread-missing",
  ],
  ["a target without bus is guessed by its name", { devices: rbd(good, "dev='hda'") }, "hda =bus-ide"],
  ["SATA", { devices: rbd(good, "dev='sda' bus='sata'") }, "sda =bus-sata"],
  [
    "cache='default' is nobody's choice, unsafe drops flushes",
    {
      devices:
        rbd("type='raw' cache='default' discard='unmap'") +
        rbd("type='raw' cache='unsafe' discard='unmap'", "dev='vdb' bus='virtio'"),
    },
    "vda =cache-librbd-on =iothread-missing; vdb =cache-librbd-on =cache-unsafe =iothread-missing",
  ],
  [
    "io= on librbd does nothing, on a mapped disk threads are slow",
    {
      devices: `${rbd(`${good} io='native'`)}<disk type='block' device='disk'><driver name='qemu' ${good} io='threads'/><source dev='/dev/rbd/p/j'/><target dev='vdb' bus='virtio'/></disk>`,
    },
    "vda =aio-without-effect =iothread-missing; vdb =aio-threads =iothread-missing =krbd",
  ],
  [
    "detect_zeroes, iotune",
    {
      devices: rbd(
        `${good} detect_zeroes='unmap'`,
        undefined,
        "<iotune><total_iops_sec>500</total_iops_sec></iotune>",
      ),
    },
    "vda =detect-zeroes-cost =throttled =iothread-missing",
  ],
  [
    "an iotune of zeros is no limit",
    { devices: rbd(good, undefined, "<iotune><total_iops_sec>0</total_iops_sec></iotune>") },
    "vda -throttled",
  ],
  [
    "client.admin, and none at all",
    {
      devices: `${rbd(good).replace("username='u'", "username='admin'")}${rbd(good, "dev='vdb' bus='virtio'").replace(auth, "")}`,
    },
    "vda +client-admin -auth-none; vdb +auth-none -client-admin",
  ],
  [
    "no <host> means ceph.conf; <auth> may stand in <source>",
    {
      devices: `<disk type='network' device='disk'><driver name='qemu' ${good}/><source protocol='rbd' name='p/ns/i'>${auth}</source><target dev='vda' bus='virtio'/></disk>`,
    },
    "vda =iothread-missing",
  ],
  ["a domain without <cpu> runs on qemu64", { cpu: "" }, "vm =cpu-generic"],
  [
    "a topology alone names no model",
    { cpu: "<cpu><topology sockets='1' cores='4' threads='1'/></cpu>" },
    "vm =cpu-generic",
  ],
  ["a named model is fine", { cpu: "<cpu mode='custom'><model>EPYC</model></cpu>" }, "vm ="],
  ["type='qemu' is emulation, and the CPU no matter", { type: "qemu", cpu: "" }, "vm =accel-tcg"],
  ["no machine type is the old board", { machine: "" }, "vm =machine-i440fx"],
  [
    "a quota holds back, shares do not",
    { head: "<cputune><shares>2048</shares><period>100000</period><quota>50000</quota></cputune>" },
    "vm =cpu-limit",
  ],
  ["a quota of -1 or of a whole core is none", { head: "<cputune><quota>-1</quota></cputune>" }, "vm ="],
  [
    "memory of two nodes, and the guest sees one",
    { head: "<numatune><memory mode='interleave' nodeset='0-1'/></numatune>" },
    "vm =numa-split",
  ],
  ["memory of one node", { head: "<numatune><memory mode='strict' nodeset='1'/></numatune>" }, "vm ="],
  [
    "an old machine type with four vCPUs has one queue; with two it matters to nobody",
    { machine: "pc-i440fx-bionic", devices: rbd(good) },
    "vda =iothread-missing =queues-single; vm =machine-i440fx",
  ],
  [
    "the same with two vCPUs",
    { machine: "pc-i440fx-2.11", vcpu: "2", devices: rbd(good) },
    "vda =iothread-missing",
  ],
  [
    "EFI variables in a network disk",
    {
      devices: rbd(good),
      machine: "q35",
    },
    "vda =iothread-missing",
  ],
  [
    "qcow2 in a network disk",
    { devices: rbd("type='qcow2' cache='none' discard='unmap'") },
    "vda +format-qcow2-on-rbd",
  ],
  [
    "CD-ROMs on RBD are no data path",
    { devices: rbd(good, "dev='sda' bus='sata'").replace("device='disk'", "device='cdrom'") },
    "sda =",
  ],
];

describe("a libvirt domain", () => {
  for (const [title, parts, wanted] of cases)
    it(title, () => void expectFindings({ "domain.xml": domain(parts) }, wanted));

  it("reports EFI variables on RBD that are not cached", () => {
    const text = domain({ devices: rbd(good) }).replace(
      "</os>",
      `<nvram type='network'><source protocol='rbd' name='p/vars'>${hosts}${auth}</source></nvram></os>`,
    );
    expectFindings({ "domain.xml": text }, "nvram =efivars-uncached");
    expectFindings(
      { "domain.xml": text, "ceph.conf": "[client]\nrbd cache policy = writeback\n" },
      "nvram =",
    );
  });

  it("takes pool and user of a volume from the pool's XML", () => {
    const volume =
      "<disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='ceph' volume='v1'/><target dev='vda' bus='virtio'/></disk>";
    const pool = `<pool type='rbd'><name>ceph</name><source><name>p</name>${hosts}<auth type='ceph' username='admin'/></source></pool>`;
    expectFindings(
      { "domain.xml": domain({ devices: volume }), "pool.xml": pool },
      "vda +client-admin +cache-librbd-on",
    );
    for (const [name, rbd] of [
      ["ceph", true],
      ["cephfs", false],
      ["images", false],
    ] as const) {
      const text = domain({ devices: volume.replace("'ceph'", `'${name}'`) });
      const [alone] = examine([{ name: "domain.xml", text }]);
      assert.equal(alone!.disks[0]!.rbd, rbd, name);
      assert.match(alone!.unseen.join(), new RegExp(`the pool ${name} of libvirt.*guessed from its name`));
    }
  });

  it("is read in libvirtd's status file as well", () => {
    const text = `<domstatus state='running' pid='1'>${domain({ head: threads, devices: rbd(`${good} iothread='1'`) })}</domstatus>`;
    expectFindings({ "vm.xml": text }, "vda =; vm =");
  });

  it("reports the line of a truncated document and quotes nothing of it", () => {
    const text = `${domain({ devices: rbd(good) }).slice(0, 400)}`;
    assert.throws(
      () => examine([{ name: "domain.xml", text }]),
      /domain.xml is not valid XML: line \d+, column \d+$/,
    );
  });

  it("locates a finding by line and XPath", () => {
    const { disks } = expectFindings(
      { "domain.xml": domain({ devices: `\n\n${rbd("type='raw' discard='unmap'")}` }) },
      "vda +cache-librbd-on",
    );
    const { place } = disks[0]!.findings.find(({ id }) => id === "cache-librbd-on")!;
    assert.deepEqual([place.line, place.path], [5, "/domain/devices/disk/driver"]);
  });
});
