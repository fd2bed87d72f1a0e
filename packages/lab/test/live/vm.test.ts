import assert from "node:assert/strict";
import { once } from "node:events";
import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, readdirSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { LabError, type LabErrorCode } from "../../src/errors.ts";
import { fioCommandLine } from "../../src/fio/command.ts";
import { parseFio } from "../../src/fio/result.ts";
import type { Guest } from "../../src/guest/guest.ts";
import { smallGuest } from "../../src/guest/small.ts";
import { pidsWithEnvironment, processId } from "../../src/host/proc.ts";
import { RESOURCE_VARIABLE } from "../../src/state/resource.ts";
import type { Disk } from "../../src/vm/disk.ts";
import { listVms, stopVm } from "../../src/vm/kept.ts";
import { qemuDefaults, type VmSettings } from "../../src/vm/settings.ts";
import { Vm, type VmOptions } from "../../src/vm/vm.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-vm-"));
process.env.SIPHON_STATE_DIR = dir;

const imageFile = join(dir, "disk.raw");
const file: Disk = { type: "file", path: imageFile, format: "raw" };
const nothing: Disk = { type: "null", size: 1 << 30 };
const virtio: VmSettings = { ...qemuDefaults, device: "virtio-blk", iothread: true, queues: 1 };

let guest: Guest;
/** One VM for all tests that leave it as it was. */
let vm: Vm;

const start = (options: Partial<VmOptions> = {}) =>
  Vm.start({
    guest,
    settings: virtio,
    disk: nothing,
    accelerator: "tcg",
    ...options,
  });

before(async () => {
  const fd = openSync(imageFile, "w");
  ftruncateSync(fd, 512 << 20);
  closeSync(fd);
  guest = await smallGuest();
  vm = await start({ disk: file, network: { type: "user", forwards: [] } });
});

after(async () => {
  await vm?.shutdown();
  assertNothingRuns();
  rmSync(dir, { recursive: true, force: true });
});

const failsWith =
  (code: LabErrorCode, pattern: RegExp) =>
  (error: unknown): boolean =>
    error instanceof LabError && error.code === code && pattern.test(error.message);

function assertNothingRuns(): void {
  assert.deepEqual(
    pidsWithEnvironment(RESOURCE_VARIABLE, (value) => value.startsWith(dir)),
    [],
  );
  const left = existsSync(join(dir, "vms")) ? readdirSync(join(dir, "vms")) : [];
  assert.deepEqual(left, []);
}

test("commands run in the guest side by side and give exit code, output and errors", async () => {
  const said = await Promise.all([
    vm.run("sleep 0.5; echo slow"),
    vm.run("echo out; echo 'it''s wrong' >&2; exit 7"),
    vm.run("head -c 300000 /dev/zero | tr '\\0' x"),
  ]);
  assert.deepEqual(said[0], { exitCode: 0, stdout: "slow\n", stderr: "" });
  assert.deepEqual(said[1], { exitCode: 7, stdout: "out\n", stderr: "its wrong\n" });
  assert.equal(said[2].stdout.length, 300_000);
});

test("fio measures the disk, and QEMU's CPU time is told by thread", async () => {
  const before = vm.cpu();
  const job = { filename: vm.device, rw: "randwrite", blockSize: 16384, ioDepth: 32 } as const;
  const said = await vm.run(
    fioCommandLine({ ...job, size: 64 << 20, seconds: 1, warmupSeconds: 1, seed: 3 }),
  );
  const figures = parseFio(said, { seconds: 1 });
  assert.ok(figures.ios > 0 && figures.latency.p50 > 0);
  const names = [...vm.cpu().threads.values()].map(({ name }) => name);
  for (const name of ["CPU 0/TCG", "CPU 1/TCG", "IO iothread0"]) assert.ok(names.includes(name), name);
  assert.ok(vm.cpu().user > before.user);
});

test("the disk has no scheduler, and XFS and kernel RBD are at hand", async () => {
  const { stdout } = await vm.run("cat /sys/block/vda/queue/scheduler; nproc");
  assert.match(stdout, /^\[none\].*\n2\n$/);
  const xfs = await vm.run(`mkfs.xfs -q -f ${vm.device} && mount -t xfs ${vm.device} /mnt && umount /mnt`);
  assert.deepEqual(xfs, { exitCode: 0, stdout: "", stderr: "" });
  assert.equal((await vm.run("modprobe rbd && test -e /sys/bus/rbd")).exitCode, 0);
});

test("a disk is plugged in while the VM runs, and taken out again", async () => {
  const plugged = await vm.plug(
    { type: "null", size: 123 << 20 },
    { cache: "none", iothread: true, queues: 1 },
  );
  const { stdout } = await vm.run(`blockdev --getsize64 ${plugged.device}`);
  assert.equal(Number(stdout), 123 << 20);
  await plugged.unplug();
  assert.equal((await vm.run(`test -e ${plugged.device}`)).exitCode, 1);
  const refused = vm.plug(
    { type: "file", path: "/nowhere", format: "raw" },
    { cache: "none", iothread: true },
  );
  await assert.rejects(refused, failsWith("SIPHON_VM", /refuses blockdev-add: Could not open '\/nowhere'/));
});

test("the guest reaches this host through QEMU's network", async () => {
  const server = createServer((socket) => socket.end("hello guest\n")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  assert.equal((await vm.run(`nc -w 10 10.0.2.2 ${port} </dev/null`)).stdout, "hello guest\n");
  server.close();
});

test("a command that takes too long is ended in the guest", async () => {
  const late = vm.run("sleep 1000; echo never", { timeoutMs: 200 });
  await assert.rejects(late, failsWith("SIPHON_TIMEOUT", /did not finish "sleep 1000/));
  assert.equal((await vm.run("ps | grep -c '[s]leep 1000'")).stdout, "0\n");
});

test("a guest that hangs is told from a command that is slow", async () => {
  await vm.qmp.execute("stop");
  await assert.rejects(vm.run("true", { timeoutMs: 200 }), failsWith("SIPHON_GUEST", /the guest hangs/));
  await vm.qmp.execute("cont");
  assert.equal((await vm.run("echo back")).stdout, "back\n");
});

test("a VM that is kept is found again, used and stopped", async () => {
  const settings: VmSettings = { ...virtio, machine: "q35", syntax: "blockdev", cache: "none" };
  const made = await start({ name: "kept", settings, hotPlug: true });
  await made.run("echo remembered >/tmp/note");
  await made.keep();
  await made[Symbol.asyncDispose]();
  const summary = (await listVms()).find(({ name }) => name === "kept");
  assert.deepEqual([summary?.state, summary?.pid], ["running", made.pid]);
  {
    await using found = await Vm.find("kept");
    assert.equal((await found.run("cat /tmp/note")).stdout, "remembered\n");
    await using plugged = await found.plug(
      { type: "null", size: 1 << 20 },
      { cache: "none", iothread: false },
    );
    assert.match(plugged.device, /^\/dev\/vd[b-z]$/);
  }
  await stopVm("kept");
  assert.equal(processId(made.pid), undefined);
  await assert.rejects(stopVm("kept"), failsWith("SIPHON_NOT_FOUND", /no VM kept/));
});

test("QEMU killed while the guest works on an IDE disk is noticed at once", async () => {
  await using doomed = await start({ settings: qemuDefaults });
  assert.equal((await doomed.run(`test -b ${doomed.device} && echo ${doomed.device}`)).stdout, "/dev/sda\n");
  const working = doomed.run("sleep 1000", { timeoutMs: 600_000 });
  process.kill(doomed.pid, "SIGKILL");
  await assert.rejects(working, failsWith("SIPHON_VM", /was ended by SIGKILL/));
  assert.ok(failsWith("SIPHON_VM", /SIGKILL/)(doomed.failed.reason));
});

test("what QEMU refuses is said in its words, and leaves nothing", async () => {
  const cases: [Partial<VmOptions>, LabErrorCode, RegExp][] = [
    [{ disk: { type: "file", path: "/nowhere", format: "raw" } }, "SIPHON_VM", /Could not open '\/nowhere'/],
    [{ disk: file }, "SIPHON_VM", /Failed to get "write" lock/],
    [{ memoryMiB: 10 }, "SIPHON_USAGE", /too little memory/],
    [{ cpus: 100_000 }, "SIPHON_VM", /[Ii]nvalid SMP CPUs/],
    [{ bootTimeoutMs: 1 }, "SIPHON_GUEST", /did not answer within 0.001 s/],
  ];
  for (const [options, code, pattern] of cases) {
    await assert.rejects(start({ name: "refused", ...options }), failsWith(code, pattern));
  }
  const aborting = new AbortController();
  const aborted = start({ name: "refused", signal: aborting.signal });
  setTimeout(() => aborting.abort(new Error("no more")), 300);
  await assert.rejects(aborted, /no more/);
  assert.deepEqual(
    (await listVms()).filter(({ name }) => name === "refused"),
    [],
  );
});

test("a guest that panics is noticed, with the kernel's own words", async () => {
  const fatal = vm.run("echo c >/proc/sysrq-trigger");
  await assert.rejects(fatal, failsWith("SIPHON_GUEST", /Kernel panic - not syncing: sysrq triggered crash/));
  assert.ok(vm.failed.aborted);
});
