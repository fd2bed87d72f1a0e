import assert from "node:assert/strict";
import { test } from "node:test";
import { convertDomain } from "../../src/convert/convert.ts";
import type { ServedImage } from "../../src/convert/libvirt.ts";
import { siphonDisks } from "../../src/convert/siphon-metadata.ts";

const serve = ({ image, transport, queues, readOnly }: ServedImage) => {
  const name = image.replaceAll("/", "-");
  const socket = `/run/siphon/${name}.sock`;
  const xml = `<disk type='${transport}' queues='${queues ?? ""}'>
  <source path='${socket}'/>
  <target dev='vda' bus='virtio'/>${readOnly ? "\n  <readonly/>" : ""}
</disk>`;
  return { name, socket, xml };
};
const vhost = { transport: "vhost", serve } as const;
const nbd = { transport: "nbd", serve } as const;

const disk = (target: string, image: string, more = "", bus = "virtio", driver = "") => `
    <disk type='network' device='disk'>
      <driver name='qemu' type='raw'${driver}/>
      <auth username='libvirt'><secret type='ceph' uuid='1'/></auth>
      <source protocol='rbd' name='${image}'><host name='192.0.2.1'/></source>
      <target dev='${target}' bus='${bus}'/>${more}
    </disk>`;

const domain = (disks: string, before = "", memory = "") => `<domain type='kvm'>
  <name>vm1</name>${before}
  <memory unit='MiB'>512</memory>${memory}
  <devices>${disks}
    <disk type='file' device='disk'><source file='/a.raw'/><target dev='vdz' bus='virtio'/></disk>
  </devices>
</domain>
`;

function converted(
  text: string,
  to: "siphon" | "rbd",
  options: Parameters<typeof convertDomain>[2] = vhost,
): string {
  return convertDomain({ name: "vm1.xml", text }, to, options).patches[0]!.after;
}

test("a converted domain converts back to the original, byte for byte", () => {
  const disks = disk("vda", "p/vm1", "\n      <boot order='1'/>") + disk("vdb", "p/ns/data");
  for (const text of [
    domain(disks),
    domain(disks, "\n  <metadata>\n    <a:b xmlns:a='urn:a'/>\n  </metadata>"),
    domain(disks, "\n  <uuid>1</uuid>", "\n  <currentMemory>1</currentMemory>"),
  ]) {
    for (const options of [vhost, nbd]) {
      const once = converted(text, "siphon", options);
      assert.notEqual(once, text);
      assert.equal(converted(once, "rbd", options), text);
      // Converts disk by disk, and back in the opposite order.
      const first = converted(text, "siphon", { ...options, disks: ["vda"] });
      const both = converted(first, "siphon", { ...options, disks: ["vdb"] });
      const one = converted(both, "rbd", { ...options, disks: ["vda"] });
      assert.equal(converted(one, "rbd", options), text);
    }
  }
});

test("the metadata describes the disks that the service serves, with their limits", () => {
  const tune =
    "<iotune><read_iops_sec>100</read_iops_sec><total_bytes_sec>1048576</total_bytes_sec><total_bytes_sec_max>2097152</total_bytes_sec_max>" +
    "<total_bytes_sec_max_length>5</total_bytes_sec_max_length></iotune>";
  const after = converted(domain(disk("vda", "p/vm1", `${tune}<readonly/>`)), "siphon");
  assert.deepEqual(siphonDisks({ name: "vm1.xml", text: after }), [
    {
      ...{ name: "p-vm1", target: "vda" },
      words: {
        ...{ image: "p/vm1", vhost: "/run/siphon/p-vm1.sock", "read-only": "yes" },
        limit: "read-iops=100,bps=1048576,bps-burst=2097152,bps-burst-seconds=5",
      },
    },
  ]);
});

test("vhost-user shares the memory, and the disk keeps its PCI address", () => {
  const address = "<address type='pci' slot='0x05'/>";
  const text = domain(disk("vdc", "p/vm1", address, "virtio", " queues='4' cache='none'"));
  const after = converted(text, "siphon");
  assert.match(after, /<memoryBacking><source type='memfd'\/><access mode='shared'\/><\/memoryBacking>/);
  assert.match(
    after,
    /<disk type='vhost' queues='4'>\n.*\n\s+<target dev='vdc' bus='virtio'\/>\n\s+<address type='pci' slot='0x05'\/>/,
  );
  const private_ = "\n  <memoryBacking><hugepages/><access mode='private'/></memoryBacking>";
  const shared = converted(domain(disk("vda", "p/vm1"), "", private_), "siphon");
  assert.match(
    shared,
    /<memoryBacking>\s*<source type='memfd'\/><hugepages\/><access mode='shared'\/><\/memoryBacking>/,
  );
});

test("a disk over NBD keeps its driver, bus and limits", () => {
  const text = domain(disk("sda", "p/vm1", "<iotune><total_iops_sec>9</total_iops_sec></iotune>", "scsi"));
  const after = converted(text, "siphon", nbd);
  const devices = after.slice(after.indexOf("<devices>"));
  assert.match(
    devices,
    /<driver name='qemu' type='raw'\/>\s*<source path='\/run\/siphon\/p-vm1\.sock'\/>\s*<target dev='sda' bus='scsi'\/><iotune>/,
  );
  assert.doesNotMatch(devices, /<auth|protocol='rbd'/);
  assert.doesNotMatch(after, /memoryBacking/);
});

test("the service's user is reported", () => {
  const { words } = convertDomain({ name: "vm1.xml", text: domain(disk("vda", "p/vm1")) }, "siphon", vhost);
  assert.deepEqual(words, [
    "vda used client.libvirt: run the service as a Ceph user that may use p (siphon attachd --id libvirt)",
  ]);
});

test("a changed serial number, which a guest may look for, is reported", () => {
  const text = domain(disk("vda", "p/vm1", "<serial>ours</serial>"));
  const words = (options: typeof vhost | typeof nbd) =>
    convertDomain({ name: "vm1.xml", text }, "siphon", options).words.join("\n");
  assert.match(words(vhost), /vda will have the image's id as its serial number/);
  assert.doesNotMatch(words(nbd), /serial/);
});

test("a domain that cannot be converted is refused with a reason", () => {
  for (const [text, to, options, said] of [
    [domain(""), "siphon", vhost, /no disk of vm1\.xml is on librbd/],
    [domain(disk("vda", "p/vm1")), "siphon", { ...vhost, disks: ["vdq"] }, /none of vdq/],
    [domain(disk("vda", "p/vm1")), "rbd", vhost, /no disk of vm1\.xml is siphon's/],
    [domain(disk("sda", "p/vm1", "", "scsi")), "siphon", vhost, /not a virtio disk/],
    [domain(disk("vda", "p/vm1", "<encryption format='luks'/>")), "siphon", vhost, /is encrypted/],
    [
      domain(
        "<disk type='volume' device='disk'><source pool='ceph-rbd' volume='vm1'/><target dev='vda' bus='virtio'/></disk>",
      ),
      ...(["siphon", vhost, /vda is a volume of a libvirt storage pool/] as const),
    ],
    ["-device virtio-blk", "siphon", vhost, /has none of the formats/],
    ["<pool><name>a</name></pool>", "siphon", vhost, /not a libvirt domain/],
  ] as const) {
    assert.throws(() => converted(text, to, options), said);
  }
});
