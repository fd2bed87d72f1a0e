import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Examination } from "@siphon/doctor";
import { LocalCluster, pidsWithEnvironment, RESOURCE_VARIABLE, readResults } from "@siphon/lab";
import { callSiphon, main } from "../../../cli/test/support/programs.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-measure-"));
process.env.SIPHON_STATE_DIR = join(directory, "state");
const runs = join(directory, "runs");
const vm = join(directory, "vm");
/** A VM whose only flaw is its missing I/O thread: measuring it takes two VMs. */
const nearlyGood = join(directory, "nearly-good");
const tiny = ["--repeat", "1", "--load-seconds", "1", "--size", "64M", "--out", runs];
let ceph: LocalCluster;

before(async () => {
  mkdirSync(vm);
  writeFileSync(
    join(vm, "101.conf"),
    "cores: 2\nmemory: 1024\nscsihw: virtio-scsi-pci\nscsi0: rbd:vm-101-disk-0,cache=writeback,size=8G\nostype: l26\n",
  );
  mkdirSync(nearlyGood);
  writeFileSync(
    join(nearlyGood, "102.conf"),
    "cores: 2\ncpu: host\nmachine: q35\nmemory: 1024\nvirtio0: rbd:vm-102-disk-0,discard=on,size=8G\nostype: l26\n",
  );
  for (const each of [vm, nearlyGood])
    writeFileSync(
      join(each, "storage.cfg"),
      "rbd: rbd\n\tcontent images\n\tpool vms\n\tmonhost 192.0.2.1 192.0.2.2 192.0.2.3\n\tusername vms\n",
    );
  ceph = await LocalCluster.up({
    name: "measure",
    osds: 1,
    replicas: 1,
    store: "memstore",
    auth: "cephx",
    pgs: 8,
  });
});

after(async () => {
  await ceph?.down();
  rmSync(directory, { recursive: true, force: true });
});

/** The processes that siphon has started for this test, except the cluster that all tests share. */
function running(): number[] {
  const own = `${process.env.SIPHON_STATE_DIR}/`;
  const shared = `${own}clusters/${ceph.name}`;
  return pidsWithEnvironment(
    RESOURCE_VARIABLE,
    (value) => value.startsWith(own) && !value.startsWith(shared),
  );
}

const images = () => ceph.admin.rbd(["ls", "libvirt-pool"]);

// This test boots five emulated VMs.
test("each change and all of them together are measured on a local cluster, and stand in the table and in a report", {
  timeout: 600_000,
}, async () => {
  const { code, stdout, stderr } = await callSiphon(["doctor", "vm", vm, "--measure", "--json", ...tiny]);
  assert.equal(code, 0, stderr);
  const { disks, notes } = JSON.parse(stdout) as Examination;
  const worthOf = (id: string) => disks[0]!.findings.find((finding) => finding.id === id)?.worth;
  for (const id of ["iothread-missing", "cache-librbd-on"]) {
    const worth = worthOf(id);
    assert.match(worth?.source ?? "", /^measured for this VM on \d{4}-/, `${id}: ${JSON.stringify(worth)}`);
    assert.equal(worth?.interval?.length, 2);
  }
  // cache=none fixes both findings.
  assert.deepEqual(worthOf("cache-writeback-depends"), worthOf("cache-librbd-on"));
  // A run of a few seconds cannot show the benefit of TRIM.
  assert.equal(worthOf("discard-off"), null);
  assert.match(
    notes.join("\n"),
    /With all measured changes: .* x[\d.]+ against the VM as it is, 95 % interval/,
  );
  assert.match(
    notes.join("\n"),
    /Measured at scsi0: randread, 16 KiB at a queue depth of 128, .* IOPS as it is/,
  );
  const [run] = readdirSync(runs);
  const { rungs, mode } = await readResults(join(runs, run!));
  assert.equal(mode, "vm");
  assert.deepEqual(
    rungs.map(({ name }) => name),
    ["as-it-is", "iothread-missing", "cache-librbd-on", "machine-i440fx", "all-changes"],
  );
  const commandOf = (name: string) => {
    const rung = rungs.find((each) => each.name === name);
    assert.equal(rung?.status, "measured", JSON.stringify(rung));
    return rung.status === "measured" ? rung.command : "";
  };
  assert.match(commandOf("as-it-is"), /-device virtio-scsi-pci,id=scsi0 .*-device scsi-hd/s);
  assert.doesNotMatch(commandOf("as-it-is"), /iothread|cache=none/);
  assert.match(commandOf("iothread-missing"), /virtio-scsi-pci,id=scsi0,iothread=iothread0/);
  assert.match(commandOf("all-changes"), /-M q35.*cache=none.*iothread=iothread0/s);
  assert.ok(existsSync(join(runs, run!, "report.html")));
  assert.deepEqual(running(), []);
});

test("in a named pool the test image is made and removed", async () => {
  const where = ["--conf", ceph.conf, "--id", "admin", "--pool", "libvirt-pool"];
  const { code, stdout, stderr } = await callSiphon([
    "doctor",
    "vm",
    nearlyGood,
    "--measure",
    ...where,
    ...tiny,
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /worth: .* against the VM as it is, 95 % interval .* \(measured for this VM on/);
  assert.equal((await images()).trim(), "");
  assert.deepEqual(running(), []);
});

test("Ctrl-C ends the measurement and removes everything it made; the exit code is 130", async () => {
  const words = [
    "doctor",
    "vm",
    vm,
    "--measure",
    "--conf",
    ceph.conf,
    "--id",
    "admin",
    "--pool",
    "libvirt-pool",
  ];
  const child = spawn(process.execPath, [main, ...words, ...tiny], { stdio: ["ignore", "pipe", "pipe"] });
  const [said] = [text(child.stderr), text(child.stdout)];
  while (running().length === 0 && child.exitCode === null) await pause(50);
  child.kill("SIGINT");
  const [code] = await once(child, "exit");
  assert.equal(code, 130, await said);
  assert.match(await said, /interrupted by SIGINT/);
  assert.deepEqual(running(), []);
  assert.equal((await images()).trim(), "");
});

test("a measurement that is not possible is refused before anything starts", async () => {
  const refused: [string[], RegExp][] = [
    [["--conf", ceph.conf], /no pool is named for it/],
    [["--disk", "scsi7"], /it has no disk scsi7/],
    [["--load-seconds", "nonsense"], /seconds/],
  ];
  for (const [flags, reason] of refused) {
    const { code, stderr } = await callSiphon(["doctor", "vm", vm, "--measure", ...flags]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, reason);
  }
  const krbd = join(directory, "krbd.txt");
  writeFileSync(
    krbd,
    "/usr/bin/kvm -drive file=/dev/rbd/p/i,if=none,id=d0 -device virtio-blk-pci,drive=d0\n",
  );
  const { code, stderr } = await callSiphon(["doctor", "vm", krbd, "--measure"]);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /no disk of it is served by librbd/);
});
