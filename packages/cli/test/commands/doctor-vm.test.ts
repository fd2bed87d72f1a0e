import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Examination } from "@siphon/doctor";
import { main } from "../support/programs.ts";

const cases = new URL("../../../doctor/test/cases/", import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), "siphon-cli-doctor-vm-"));
after(() => rmSync(directory, { recursive: true }));

function doctor(args: string[], input = "") {
  return spawnSync(process.execPath, [main, "doctor", ...args], { encoding: "utf8", input });
}

test("a directory is one VM: --json has its platform, its disks by name and its findings", () => {
  const { status, stdout } = doctor(["vm", join(cases, "08-driver-line-without-cache"), "--json"]);
  assert.equal(status, 0);
  const { platform, disks, vm } = JSON.parse(stdout) as Examination;
  assert.equal(platform, "libvirt");
  assert.deepEqual(
    disks.map(({ disk, rbd }) => [disk, rbd]),
    [
      ["vda", false],
      ["vdb", true],
    ],
  );
  assert.ok(disks[1]!.findings.some(({ id, severity }) => id === "cache-librbd-on" && severity === "high"));
  assert.deepEqual(vm.findings, []);
});

test("standard input's format is detected from its content", () => {
  const text = readFileSync(join(cases, "12-one-monitor-aio-native/qemu.txt"), "utf8");
  const { stdout } = doctor(["vm", "-", "--json"], text);
  assert.ok((JSON.parse(stdout) as Examination).disks[0]!.findings.some(({ id }) => id === "key-exposed"));
});

test("a file in UTF-16 is read, and written in UTF-16", () => {
  const path = join(directory, "utf16.conf");
  const text =
    "\uFEFFcores: 2\r\nmemory: 512\r\nscsi0: ceph:vm-100-disk-0,cache=unsafe\r\nscsihw: virtio-scsi-single\r\n";
  for (const swap of [false, true]) {
    const bytes = Buffer.from(text, "utf16le");
    writeFileSync(path, swap ? bytes.swap16() : bytes);
    const { stdout } = doctor(["vm", path, "--json"]);
    assert.ok((JSON.parse(stdout) as Examination).disks[0]!.findings.some(({ id }) => id === "cache-unsafe"));
    assert.equal(doctor(["fix", path, "--finding", "cache-unsafe", "--write"]).status, 0);
    const written = readFileSync(path);
    assert.equal((swap ? written.swap16() : written).toString("utf16le"), text.replace(",cache=unsafe", ""));
  }
});

test("--fail-on makes the exit code 3 if there is a finding of that severity or above, and only then", () => {
  assert.equal(doctor(["vm", join(cases, "64-throwaway-vm-unsafe"), "--fail-on", "high"]).status, 3);
  assert.equal(doctor(["vm", join(cases, "32-kubevirt-windows-pool"), "--fail-on", "low"]).status, 0);
});

test("a key is reported and never printed, in any form of output", () => {
  const key = "AQBSdFhcAAAAABAAuZ0zOQmCmSLjYCmTVpkKkg==";
  const line = `/usr/bin/qemu-system-x86_64 -enable-kvm -machine q35 -drive file=rbd:vms/d:id=u:key=${key}:mon_host=192.0.2.1,if=none,id=d0 -device virtio-blk-pci,drive=d0 -object secret,id=s0,data=${key}`;
  const page = join(directory, "page.html");
  for (const flags of [[], ["--json"], ["--markdown"], ["--sarif"]]) {
    const { stdout, stderr } = doctor(["vm", "-", "--html", page, ...flags], line);
    assert.match(stdout, /key-exposed/);
    for (const text of [stdout, stderr, readFileSync(page, "utf8")])
      assert.ok(!text.includes(key.slice(4, 20)), flags.join());
  }
});

test("SARIF names each rule once and points at the lines", () => {
  const { stdout } = doctor(["vm", join(cases, "18-linked-clone"), "--sarif"]);
  const { version, runs } = JSON.parse(stdout);
  assert.equal(version, "2.1.0");
  const { tool, results } = runs[0];
  const ids = tool.driver.rules.map(({ id }: { id: string }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const { ruleId, ruleIndex, locations } of results) {
    assert.equal(ids[ruleIndex], ruleId);
    assert.ok(locations[0].physicalLocation.region.startLine >= 1);
  }
  const clone = results.find(({ ruleId }: { ruleId: string }) => ruleId === "clone-unflattened");
  assert.equal(clone.locations[0].physicalLocation.artifactLocation.uri, "vm.conf");
  assert.equal(clone.locations[0].physicalLocation.region.startLine, 12);
});

test("an unknown format is reported in one sentence, with the formats that can be read", () => {
  const { status, stderr } = doctor(["vm", "-"], "Dear diary\n");
  assert.equal(status, 1);
  assert.match(stderr, /standard input has none of the formats.*\n.*siphon doctor vm --help/);
});

test("an unknown VM and a missing file are reported with advice", () => {
  assert.match(doctor(["vm", "no-such-domain"]).stderr, /no QEMU process on this host is no-such-domain/);
  assert.match(doctor(["vm", "web.example.org"]).stderr, /no QEMU process on this host is web.example.org/);
  for (const words of [["./none.xml"], ["none.xml"], [join(cases, "18-linked-clone/vm.conf"), "none"]])
    assert.match(doctor(["vm", ...words]).stderr, /cannot read (\.\/)?none(\.xml)?: there is no such file/);
  assert.match(
    doctor(["vm", mkdtempSync(join(directory, "none-"))]).stderr,
    /has no file that the doctor reads/,
  );
  assert.match(doctor(["vm", "-"], "").stderr, /standard input is empty/);
  assert.match(doctor(["explain", "nonsense"]).stderr, /there is no finding nonsense\n.*lists them/);
});

test("explain knows every id of the cases", () => {
  const { stdout } = doctor(["explain"]);
  for (const name of readdirSync(cases, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    const { disks, vm } = JSON.parse(readFileSync(join(cases, name.name, "expected.json"), "utf8"));
    for (const { findings, mustNot } of [...disks, vm])
      for (const id of [...findings.map((finding: { id: string }) => finding.id), ...mustNot])
        assert.match(stdout, new RegExp(`^${id} `, "m"));
  }
});

test("fix prints a patch and changes nothing; --write changes the file and keeps a copy", () => {
  const file = join(directory, "117.conf");
  const text =
    "boot: order=scsi0\ncores: 2\nmemory: 512\nscsi0: ceph:vm-117-disk-0,cache=unsafe,iothread=1\nscsihw: virtio-scsi-single\n";
  writeFileSync(file, text, { mode: 0o640 });
  const shown = doctor(["fix", file, "--finding", "cache-unsafe"]);
  assert.equal(shown.status, 0);
  assert.match(shown.stdout, /^# qm set 117 --scsi0 ceph:vm-117-disk-0,iothread=1$/m);
  assert.match(shown.stdout, /^-scsi0: .*cache=unsafe.*\n\+scsi0: ceph:vm-117-disk-0,iothread=1$/m);
  assert.equal(readFileSync(file, "utf8"), text);
  const { status, stdout } = doctor(["fix", file, "--finding", "cache-unsafe", "--write"]);
  assert.equal(status, 0, stdout);
  assert.equal(readFileSync(file, "utf8"), text.replace(",cache=unsafe", ""));
  assert.equal(statSync(file).mode & 0o777, 0o640);
  const copy = readdirSync(directory).find((name) => name.startsWith("117.conf.siphon-"));
  assert.equal(readFileSync(join(directory, copy!), "utf8"), text);
  assert.match(doctor(["fix", file, "--finding", "cache-unsafe"]).stderr, /cache-unsafe was not found/);
});

test("a VM that cannot be measured or profiled is refused before anything starts", () => {
  const one = join(cases, "12-one-monitor-aio-native");
  const line = "/usr/bin/kvm -drive file=rbd:p/i:id=u,if=none,id=d -device virtio-blk-pci,drive=d";
  const refused: [string[], string, RegExp][] = [
    [["vm", "-", "--measure"], `${line}\n${line}\n`, /--measure takes one VM, and here are 2/],
    [["vm", one, "--measure", "--conf", "/etc/ceph/ceph.conf"], "", /no pool is named for it/],
    [["vm", one, "--measure", "--pool", "p", "--keyring", "k"], "", /QEMU, which reads a ceph.conf/],
    [["vm", one, "--measure", "--disk", "none"], "", /it has no disk none/],
    [["vm", one, "--measure", "--repeat", "some"], "", /repeat/],
    [["vm", one, "--profile"], "", /--profile samples running VMs/],
  ];
  for (const [args, input, reason] of refused) {
    const { status, stderr } = doctor(args, input);
    assert.equal(status, 2, stderr);
    assert.match(stderr, reason);
  }
});

test("a file in another encoding is not written, because characters would be lost", () => {
  const path = join(directory, "latin1.conf");
  const bytes = Buffer.from(
    "# f\xfcr\ncores: 2\nmemory: 512\nscsi0: ceph:vm-100-disk-0,cache=unsafe\n",
    "latin1",
  );
  writeFileSync(path, bytes);
  const { status, stderr } = doctor(["fix", path, "--finding", "cache-unsafe", "--write"]);
  assert.equal(status, 1);
  assert.match(stderr, /is not UTF-8 or UTF-16; nothing is written/);
  assert.deepEqual(readFileSync(path), bytes);
});

test("fix does not print a key beside the change, and keeps the key in the file", () => {
  const key = "AQBSdFhcAAAAABAAuZ0zOQmCmSLjYCmTVpkKkg==";
  const texts = {
    "qemu.txt": `/usr/bin/kvm -drive file=rbd:p/i:id=u:key=${key},if=none,id=d,cache=unsafe -device virtio-blk-pci,drive=d\n`,
    "domain.xml": `<domain type='kvm'>\n<name>a</name>\n<devices>\n<graphics type='vnc' passwd='hunter2'/>\n<disk type='network' device='disk'>\n<driver name='qemu' cache='unsafe'/>\n<source protocol='rbd' name='p/i'/>\n<target dev='vda' bus='virtio'/>\n</disk>\n</devices>\n</domain>\n`,
    "100.conf": `cipassword: hunter2\nscsi0: ceph:vm-100-disk-0,cache=unsafe\ncores: 2\nmemory: 512\n`,
  };
  for (const [name, text] of Object.entries(texts)) {
    const path = join(directory, name);
    writeFileSync(path, text);
    const { stdout, status } = doctor(["fix", path, "--finding", "cache-unsafe", "--write"]);
    assert.equal(status, 0);
    assert.ok(!stdout.includes(key) && !stdout.includes("hunter2"), stdout);
    assert.match(stdout, /keys and passwords are not shown/);
    const written = readFileSync(path, "utf8");
    assert.ok(written.includes(key) || written.includes("hunter2"));
    assert.ok(!written.includes("unsafe"));
  }
});
