import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { applyPatch } from "diff";
import type { Examination } from "../src/examination.ts";
import { examine } from "../src/examine.ts";
import { fixFor } from "../src/fix/fix.ts";
import { readCases } from "./support/case.ts";

/** Findings that a fix may reveal, because the fixed finding hid them. */
const behind: Readonly<Record<string, readonly string[]>> = {
  "scsi-lsi": ["iothread-missing"],
  "bus-ide": ["iothread-missing"],
  "bus-sata": ["iothread-missing", "queues-unmapped-iothreads"],
  "iothread-missing": ["queues-unmapped-iothreads", "iothread-shared"],
  "iothread-without-effect": ["iothread-missing", "iothread-shared"],
  "accel-tcg": ["cpu-generic"],
  "option-misplaced": ["queues-unmapped-iothreads", "aio-threads"],
  "cache-unsafe": ["cache-writeback-depends"],
  "rbd-nbd": ["krbd", "krbd-queue-depth", "rxbounce-missing"],
};

describe("fixFor", () => {
  for (const { name, files } of ["cases", "more-cases"].flatMap((each) =>
    readCases(join(import.meta.dirname, each)),
  )) {
    it(`removes each finding of ${name} and adds no other`, () => {
      const before = examine(files)[0]!;
      for (const id of new Set(idsOf(before).map((each) => each.split(" ")[1]!))) {
        const { patches, words } = fixFor(files, id);
        assert.ok(words.length > 0, id);
        if (patches.length === 0) continue;
        const changed = files.map((file) => {
          const patch = patches.find((each) => each.name === file.name);
          return patch === undefined ? file : { ...file, text: patch.after };
        });
        const after = idsOf(examine(changed)[0]!);
        const known = idsOf(before);
        // A disk may get another name on another bus.
        const moved = id.startsWith("bus-") ? known.map((each) => each.split(" ")[1]!) : [];
        const allowed = [...known, ...moved, ...(behind[id] ?? [])];
        assert.deepEqual(
          after.filter((each) => each.endsWith(` ${id}`)),
          [],
          id,
        );
        assert.deepEqual(
          after.filter((each) => !allowed.includes(each) && !allowed.includes(each.split(" ")[1]!)),
          [],
          id,
        );
        for (const { name: file, before: text, after: mended, diff } of patches) {
          assert.match(diff, /^[-+](?!-- |\+\+ )/m);
          // The diff of a command line is for people: it has one option a line and does not apply.
          if (file !== "qemu.txt") assert.equal(applyPatch(text, diff), mended, `${id}: the patch applies`);
        }
      }
    });
  }

  it("changes one attribute of a domain and nothing else", () => {
    const text = `<domain type='kvm'>\n  <name>a</name>\n  <vcpu>2</vcpu>\n  <devices>\n    <!-- kept -->\n    <disk type='network' device='disk'>\n      <driver name="qemu" type="raw" cache="writeback"/>\n      <source protocol='rbd' name='p/i'/>\n      <target dev='vda' bus='virtio'/>\n    </disk>\n  </devices>\n</domain>\n`;
    const [patch] = fixFor([{ name: "a.xml", text }], "cache-librbd-on").patches;
    assert.equal(patch!.after, text.replace('cache="writeback"', "cache='none'"));
    const thread = fixFor([{ name: "a.xml", text }], "iothread-missing").patches[0]!.after;
    assert.match(thread, /<vcpu>2<\/vcpu>\n {2}<iothreads>1<\/iothreads>\n/);
    assert.match(thread, /cache="writeback" iothread='1'\/>/);
  });

  it("names an existing thread of a domain", () => {
    const text = `<domain type='kvm'><name>a</name><vcpu>2</vcpu><iothreads>2</iothreads><iothreadids><iothread id='4'/><iothread id='7'/></iothreadids><devices><controller type='scsi' index='0' model='virtio-scsi'/><disk type='network' device='disk'><source protocol='rbd' name='p/i'/><target dev='vda' bus='virtio'/></disk><disk type='network' device='disk'><driver name='qemu' type='raw' iothread='7'/><source protocol='rbd' name='p/j'/><target dev='vdb' bus='virtio'/></disk><disk type='network' device='disk'><source protocol='rbd' name='p/k'/><target dev='sda' bus='scsi'/></disk></devices></domain>`;
    const { after } = fixFor([{ name: "a.xml", text }], "iothread-missing").patches[0]!;
    assert.match(after, /name='p\/i'\/>\s*<driver name='qemu' type='raw' iothread='4'\/>/);
    assert.match(after, /model='virtio-scsi'><driver iothread='4'\/><\/controller>/);
  });

  it("replaces a CPU model and keeps the guest's sockets and NUMA nodes", () => {
    const kept =
      "<topology sockets='2' cores='2' threads='1'/><numa><cell id='0' cpus='0-1' memory='1' unit='GiB'/><cell id='1' cpus='2-3' memory='1' unit='GiB'/></numa>";
    const text = `<domain type='kvm'><name>a</name><vcpu>4</vcpu><cpu mode='custom'><model>kvm64</model>${kept}<feature policy='require' name='aes'/></cpu></domain>`;
    assert.equal(
      fixFor([{ name: "a.xml", text }], "cpu-generic").patches[0]!.after,
      `<domain type='kvm'><name>a</name><vcpu>4</vcpu><cpu mode='host-passthrough'>${kept}</cpu></domain>`,
    );
  });

  it("replaces a value of nova.conf that continues over several lines", () => {
    const text = (modes: string) =>
      `[DEFAULT]\ndebug = true\n[libvirt]\nimages_type = rbd\n${modes}rbd_user = nova\nhw_disk_discard = unmap\n`;
    const fixed = (modes: string) =>
      fixFor([{ name: "nova.conf", text: text(modes) }], "cache-librbd-on").patches[0]!.after;
    assert.equal(fixed("disk_cachemodes =\n    network=writeback\n"), text(""));
    assert.equal(
      fixed('disk_cachemodes = "file=none,\n  network=writeback"\n'),
      text('disk_cachemodes = "file=none"\n'),
    );
  });

  it("changes one of several VMs and leaves the others, in the same file or another", () => {
    const domain = (name: string, cache: string) =>
      `<domain type='kvm'>\n<name>${name}</name><devices><disk type='network' device='disk'><driver name='qemu' cache='${cache}'/><source protocol='rbd' name='p/${name}'/><target dev='vda' bus='virtio'/></disk></devices></domain>\n`;
    const both = domain("a", "none") + domain("b", "unsafe");
    const after = both.replace("'unsafe'", "'none'");
    assert.equal(fixFor([{ name: "both.xml", text: both }], "cache-unsafe").patches[0]!.after, after);
    const files = [
      { name: "a.xml", text: domain("a", "writethrough") },
      { name: "b.xml", text: domain("b", "unsafe") },
    ];
    assert.deepEqual(
      fixFor(files, "cache-unsafe").patches.map(({ name }) => name),
      ["b.xml"],
    );
    const line = (id: number, cache: string) =>
      `root ${id} 1 /usr/bin/kvm -name vm${id} -drive file=rbd:p/i${id}:id=u,if=none,id=d,cache=${cache} -device virtio-blk-pci,drive=d`;
    const list = ["PID", line(1, "none"), line(2, "unsafe"), line(3, "unsafe")].join("\n");
    assert.equal(
      fixFor([{ name: "ps.txt", text: list }], "cache-unsafe").patches[0]!.after,
      list.replaceAll("cache=unsafe", "cache=none"),
    );
  });

  it("changes the device of a disk on a command line, not one whose name has the same prefix", () => {
    const disk = (id: string, options: string) =>
      `-drive file=rbd:p/${id}:id=u,if=none,id=${id},cache=none -device virtio-blk-pci,drive=${id}${options}`;
    const text = `/usr/bin/kvm -smp 2 -object iothread,id=io ${disk("d10", ",iothread=io")} ${disk("d1", "")}`;
    assert.equal(
      fixFor([{ name: "qemu.txt", text }], "iothread-missing").patches[0]!.after,
      `${text},iothread=siphon-io0 -object iothread,id=siphon-io0`,
    );
  });

  it("changes the CPU on a command line whose words end with NUL", () => {
    const text = "/usr/bin/kvm -cpu qemu64,+aes -drive file=rbd:p/i:id=u,if=none,id=d,cache=none ".replaceAll(
      " ",
      "\0",
    );
    const [patch] = fixFor([{ name: "cmdline", text }], "cpu-generic").patches;
    assert.equal(patch!.after, text.replace("qemu64", "host"));
  });

  it("keeps the lines after a block scalar in a manifest", () => {
    const manifest = (options: string) =>
      `kind: StorageClass\napiVersion: storage.k8s.io/v1\nmetadata: {name: rbd}\nprovisioner: rook-ceph.rbd.csi.ceph.com\nparameters:\n  pool: vms\n  mapOptions: ${options}\n  csi.storage.k8s.io/fstype: xfs\n`;
    const changed = (options: string) =>
      fixFor([{ name: "class.yaml", text: manifest(options) }], "rxbounce-missing").patches[0]!.after;
    assert.equal(changed("|-\n    krbd:queue_depth=256"), manifest("krbd:queue_depth=256,rxbounce"));
    assert.equal(changed("'krbd:queue_depth=256'"), manifest("'krbd:queue_depth=256,rxbounce'"));
  });

  it("keeps the snapshots in a Proxmox configuration", () => {
    const text =
      "boot: order=scsi0\ncores: 2\nmemory: 512\nscsi0: ceph:vm-100-disk-0,cache=unsafe\n\n[old]\nscsi0: ceph:vm-100-disk-0,cache=unsafe\n";
    const [patch] = fixFor([{ name: "100.conf", text }], "cache-unsafe").patches;
    assert.equal(patch!.after, text.replace("disk-0,cache=unsafe\n\n", "disk-0\n\n"));
  });

  it("keeps the flags of a Proxmox CPU model", () => {
    const text = "cores: 2\ncpu: kvm64,flags=+aes;-pcid,hidden=1\nmemory: 512\nscsi0: ceph:vm-100-disk-0\n";
    assert.equal(
      fixFor([{ name: "100.conf", text }], "cpu-generic").patches[0]!.after,
      text.replace("kvm64", "host"),
    );
  });

  it("refuses a finding that does not apply, or does not exist", () => {
    const files = [
      { name: "qemu.txt", text: "/usr/bin/kvm -drive file=rbd:p/i:id=u,if=none,id=d0,cache=none" },
    ];
    assert.throws(() => fixFor(files, "cache-librbd-on"), /cache-librbd-on was not found in qemu.txt/);
    assert.throws(() => fixFor(files, "nonsense"), /there is no finding nonsense/);
  });
});

function idsOf({ disks, vm }: Examination): string[] {
  return [
    ...disks.flatMap(({ disk, findings }) => findings.map(({ id }) => `${disk} ${id}`)),
    ...vm.findings.map(({ id }) => `vm ${id}`),
  ];
}
