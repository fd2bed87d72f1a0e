import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type Examination, vmOfHost } from "@siphon/doctor";
import { call, main } from "../../../cli/test/support/programs.ts";
import { kill } from "../../support/attach/run.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-host-"));
const children: ChildProcess[] = [];

after(async () => {
  for (const child of children) await kill(child);
  rmSync(directory, { recursive: true, force: true });
});

/** A program that only waits, with the name and the arguments of a QEMU process. */
async function fake(name: string, script: string, options: string[] = []): Promise<ChildProcess> {
  const disk = ["-drive", "file=rbd:p/i:id=u,if=none,id=d0,cache=none", "-device", "virtio-blk-pci,drive=d0"];
  const words = ["-nodefaults", "-name", `guest=${name}`, ...disk, ...options];
  const child = spawn("/bin/bash", ["-c", script, ...words], {
    argv0: "/usr/bin/qemu-system-x86_64",
    stdio: ["pipe", "pipe", "ignore"],
  });
  children.push(child);
  await once(child.stdout!, "data");
  return child;
}

test("50 VMs on one host take less than 15 s of CPU", async () => {
  for (let index = 0; index < 50; index++) await fake(`siphon-many-${index}`, "echo; read line");
  const words = [main, "doctor", "vm", "--seconds", "2", "--json"];
  const timed = 'TIMEFORMAT="%U %S"; time "$0" "$@"';
  const { stdout, stderr } = await call("/bin/bash", ["-c", timed, process.execPath, ...words]);
  const { vms } = JSON.parse(stdout) as { vms: Examination[] };
  assert.equal(vms.filter(({ name }) => name?.startsWith("siphon-many-")).length, 50, stderr);
  // CPU time: on a busy machine the elapsed time includes other programs.
  const seconds = stderr.trim().split("\n").at(-1)!.split(" ").map(Number);
  assert.ok(seconds[0]! + seconds[1]! + 2 < 15, stderr);
  for (const child of children.splice(0)) await kill(child);
});

test("a process that has become another program is not mistaken for the VM", async () => {
  // When the doctor asks the monitor, it has already identified the VM.
  const path = join(directory, "changes.qmp");
  const monitor = createServer().listen(path);
  await once(monitor, "listening");
  const asked = once(monitor, "connection") as Promise<[Socket]>;
  const child = await fake("siphon-changes", "echo; read line; exec sleep 600", ["-qmp", `unix:${path}`]);
  const watching = vmOfHost("siphon-changes", { seconds: 0 });
  const [connection] = await asked;
  child.stdin!.write("\n");
  while (!readFileSync(`/proc/${child.pid}/cmdline`, "utf8").startsWith("sleep")) await pause(20);
  connection.destroy();
  monitor.close();
  const vm = await watching;
  assert.match(vm.unseen.join("\n"), /another program took the place of process/);
  assert.deepEqual([vm.notes, vm.host], [[], {}]);
});
