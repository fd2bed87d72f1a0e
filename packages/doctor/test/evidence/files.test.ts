import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { cgroupCpu } from "../../src/evidence/cgroup.ts";
import { cpuSet, placementOf } from "../../src/evidence/placement.ts";
import { qmpSockets } from "../../src/evidence/qmp.ts";
import { readArguments } from "../../src/inputs/qemu/arguments.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-doctor-proc-"));
after(() => rmSync(directory, { recursive: true }));

function put(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
}

test("the tightest quota of a process's control groups counts, with how often it was reached", async () => {
  put({
    "proc/1/cgroup": "0::/vms/a/emulator\n",
    "cgroup/vms/cpu.max": "400000 100000\n",
    "cgroup/vms/a/cpu.max": "150000 100000\n",
    "cgroup/vms/a/cpu.stat": "usage_usec 1\nnr_periods 100\nnr_throttled 25\n",
    "cgroup/vms/a/emulator/cpu.max": "max 100000\n",
  });
  const found = await cgroupCpu(1, join(directory, "proc"), join(directory, "cgroup"));
  assert.deepEqual(found, {
    cpus: 1.5,
    file: join(directory, "cgroup/vms/a/cpu.max"),
    periods: 100,
    throttled: 25,
  });
});

test("cgroup v1 is read as well; without a quota there is no limit", async () => {
  put({
    "proc/2/cgroup": "4:cpu,cpuacct:/machine/b\n1:name=systemd:/x\n",
    "cgroup/cpu/machine/b/cpu.cfs_quota_us": "200000\n",
    "cgroup/cpu/machine/b/cpu.cfs_period_us": "100000\n",
    "proc/3/cgroup": "0::/free\n",
    "cgroup/free/cpu.max": "max 100000\n",
  });
  const at = (pid: number) => cgroupCpu(pid, join(directory, "proc"), join(directory, "cgroup"));
  assert.equal((await at(2))?.cpus, 2);
  assert.equal((await at(3))?.cpus, Number.POSITIVE_INFINITY);
  assert.equal(await at(99), undefined);
});

test("an I/O thread on the vCPUs' cores is reported, and memory on another NUMA node than the vCPUs", async () => {
  const thread = (name: string, cpus: string) => `Name:\t${name}\nCpus_allowed_list:\t${cpus}\n`;
  put({
    "sys/devices/system/cpu/online": "0-7\n",
    "sys/devices/system/node/node0/cpulist": "0-3\n",
    "sys/devices/system/node/node1/cpulist": "4-7\n",
    "proc/4/task/1/status": thread("qemu-kvm", "0-7"),
    "proc/4/task/2/status": thread("CPU 0/KVM", "1"),
    "proc/4/task/3/status": thread("CPU 1/KVM", "2"),
    "proc/4/task/4/status": thread("IO iothread1", "2"),
    "proc/4/numa_maps": "7f00 default anon=10 N0=100 N1=300\n",
  });
  const { sharedCores, split } = await placementOf(
    4,
    undefined,
    join(directory, "proc"),
    join(directory, "sys"),
  );
  assert.match(sharedCores!, /IO iothread1 may run on core 2 only/);
  assert.match(split!, /pinned to node 0, and 75 % of its memory is elsewhere/);
  put({
    "proc/5/task/1/status": thread("CPU 0/KVM", "0-7"),
    "proc/5/task/2/status": thread("IO iothread1", "0-7"),
  });
  assert.deepEqual(await placementOf(5, undefined, join(directory, "proc"), join(directory, "sys")), {});
  put({
    "proc/6/task/1/status": thread("CPU 0/KVM", "0-3"),
    "proc/6/task/2/status": thread("CPU 1/KVM", "0-3"),
    "proc/6/task/3/status": thread("IO iothread1", "0-3"),
  });
  const bound = await placementOf(6, undefined, join(directory, "proc"), join(directory, "sys"));
  assert.equal(bound.sharedCores, undefined, "two vCPUs leave room on four cores");
  // The kernel rejects names longer than 15 characters: the thread keeps the program's name.
  put({
    "proc/7/task/1/status": thread("CPU 0/KVM", "2"),
    "proc/7/task/8/status": thread("kvm", "2"),
  });
  const names = new Map([[8, "iothread-virtioscsi0"]]);
  const unnamed = await placementOf(7, names, join(directory, "proc"), join(directory, "sys"));
  assert.match(unnamed.sharedCores!, /^IO iothread-virtioscsi0 may run on core 2 only/);
  assert.deepEqual([...cpuSet("0-2,7")], [0, 1, 2, 7]);
});

test("QMP sockets are those on which QEMU listens, in the syntax of Proxmox, the lab and libvirt", () => {
  const of = (text: string) => qmpSockets(readArguments({ name: "x", text: `/usr/bin/kvm ${text}` }).options);
  assert.deepEqual(
    of(
      "-chardev socket,id=qmp,path=/var/run/qemu-server/1.qmp,server=on,wait=off -mon chardev=qmp,mode=control",
    ),
    ["/var/run/qemu-server/1.qmp"],
  );
  assert.deepEqual(of("-qmp unix:/run/a.sock,server=on,wait=off"), ["/run/a.sock"]);
  assert.deepEqual(
    of("-chardev socket,id=m,fd=22,server=on,wait=off -mon chardev=m,id=monitor,mode=control"),
    [],
  );
  assert.deepEqual(
    of("-chardev socket,id=e,path=/run/qmeventd.sock,reconnect=5 -mon chardev=e,mode=control"),
    [],
  );
});
