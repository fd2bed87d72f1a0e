import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { vmOfHost, vmsOfHost } from "../../src/evidence/host.ts";
import { examineVm } from "../../src/examine.ts";

const started: ChildProcess[] = [];
after(async () => {
  for (const child of started.filter(
    ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
  )) {
    child.kill();
    await once(child, "exit");
  }
});

/** A process with QEMU's name and arguments that runs until its standard input ends. */
async function fakeQemu(name: string, args: readonly string[], cwd?: string): Promise<ChildProcess> {
  const child = spawn(
    "/bin/sh",
    ["-c", "echo; read line", "-nodefaults", "-name", `guest=${name}`, ...args],
    {
      argv0: "/usr/bin/qemu-system-x86_64",
      stdio: ["pipe", "pipe", "ignore"],
      ...(cwd !== undefined && { cwd }),
    },
  );
  started.push(child);
  await once(child.stdout!, "data");
  return child;
}

const disk = [
  "-machine",
  "q35",
  "-drive",
  "file=rbd:p/a b:id=u,if=none,id=d0,cache=none,discard=on",
  "-device",
  "virtio-blk-pci,drive=d0",
];
const unique = `siphon-test-${process.pid}`;

test("50 VMs of a host are found and watched at the same time", { timeout: 60_000 }, async () => {
  await Promise.all(Array.from({ length: 50 }, (_, index) => fakeQemu(`${unique}-${index}`, disk)));
  const begun = process.cpuUsage();
  const vms = (await vmsOfHost({ seconds: 1 })).filter(({ name }) => name?.startsWith(`${unique}-`));
  // CPU time, because wall-clock time includes other processes' work on a busy machine.
  const { user, system } = process.cpuUsage(begun);
  const took = 1 + (user + system) / 1e6;
  assert.equal(vms.length, 50);
  for (const vm of vms)
    assert.ok(examineVm(vm).disks[0]!.findings.some(({ id }) => id === "iothread-missing"));
  assert.ok(took < 15, `it took ${took} s`);
});

test("a VM is found by name and by pid, and an argument with a space stays one argument", async () => {
  const child = await fakeQemu(`${unique}-one`, disk);
  for (const word of [`${unique}-one`, String(child.pid)]) {
    const { name, disks } = await vmOfHost(word, { seconds: 0 });
    assert.equal(name, `${unique}-one`);
    assert.equal(disks[0]!.source.image, "a b");
  }
});

test("the file of -readconfig is the process's own, and one that blocks is not read", {
  timeout: 60_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), "siphon-config-"));
  after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, "vm.cfg"), '[device]\n  driver = "virtio-blk-pci"\n  drive = "d0"\n');
  execFileSync("mkfifo", [join(directory, "fifo")]);
  await fakeQemu(`${unique}-config`, [...disk.slice(0, 4), "-readconfig", "vm.cfg"], directory);
  const { disks } = await vmOfHost(`${unique}-config`, { seconds: 0 });
  assert.equal(disks[0]!.bus.value, "virtio-blk");
  await fakeQemu(`${unique}-blocks`, [...disk, "-readconfig", join(directory, "fifo")]);
  const { unseen } = await vmOfHost(`${unique}-blocks`, { seconds: 0 });
  assert.match(unseen.join("\n"), /the content of .*fifo: -readconfig names it/);
});

test("a VM that ends while it is watched is reported as ended, and its evidence stays", async () => {
  // The query on the monitor shows that the process was found.
  const path = join(mkdtempSync(join(tmpdir(), "siphon-ends-")), "qmp");
  const monitor = createServer().listen(path);
  await once(monitor, "listening");
  const asked = once(monitor, "connection") as Promise<[Socket]>;
  const child = await fakeQemu(`${unique}-ends`, [...disk, "-qmp", `unix:${path}`]);
  const watching = vmOfHost(`${unique}-ends`, { seconds: 0.1 });
  const [connection] = await asked;
  child.kill();
  await once(child, "exit");
  connection.destroy();
  monitor.close();
  rmSync(dirname(path), { recursive: true });
  const { unseen, disks } = await watching;
  assert.equal(disks.length, 1);
  assert.match(unseen.join("\n"), /what its threads do: the process (has ended|ended while it was watched)/);
});

test("a saturated thread is named, and the mapped librbd counts", async () => {
  const child = spawn(
    "/bin/sh",
    ["-c", "echo; while :; do :; done", "-nodefaults", "-name", `guest=${unique}-busy`, ...disk],
    {
      argv0: "/usr/bin/qemu-system-x86_64",
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  started.push(child);
  await once(child.stdout!, "data");
  const cpuOf = () => {
    const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  };
  const before = cpuOf();
  const vm = await vmOfHost(`${unique}-busy`, { seconds: 2 });
  const share = (cpuOf() - before) / 2;
  assert.match(vm.notes.join(), /its threads used of a core each: main thread \(\S+\) \d+ %/);
  // On a busy machine the thread does not get a whole core.
  if (share > 0.95) assert.ok(examineVm(vm).vm.findings.some(({ id }) => id === "thread-saturated"));
});

test("a name that is no VM is refused with a hint", async () => {
  await assert.rejects(
    vmOfHost(`${unique}-none`, { seconds: 0 }),
    /no QEMU process on this host is .*neither its pid/,
  );
  await assert.rejects(vmOfHost(String(process.pid), { seconds: 0 }), /process \d+ is .+, no QEMU/);
});
