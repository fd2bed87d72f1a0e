import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { LabError } from "../../src/errors.ts";
import { kernelParameters, type QemuPlan, qemuCommand, renderCommand } from "../../src/vm/arguments.ts";
import { qemuDefaults } from "../../src/vm/settings.ts";

const plan: QemuPlan = {
  name: "vm1",
  settings: { ...qemuDefaults, device: "virtio-blk" },
  disk: { type: "rbd", pool: "p", image: "i", user: "u", conf: "/c" },
  boot: { from: "kernel", kernel: "/k", initramfs: "/i", commandLine: "a=1 b=2" },
  accelerator: "tcg",
  cpus: 4,
  memoryMiB: 512,
};

/** The options of a plan as lines: `-M pc`. */
const lines = (change: Partial<QemuPlan> = {}) =>
  qemuCommand({ ...plan, ...change }).options.map((option) => option.join(" "));

function assertHas(all: string[], ...wanted: string[]): void {
  for (const each of wanted) assert.ok(all.includes(each), `${each} is not among\n${all.join("\n")}`);
}

test("a VM has the size asked for, named threads, and ends when its guest resets", () => {
  assertHas(
    lines(),
    "-m 512",
    "-smp 4,sockets=1,cores=4,threads=1",
    "-name vm1,debug-threads=on",
    "-no-reboot",
  );
});

test("memory may be plugged in when that was asked for", () => {
  assertHas(lines({ pluggableMemoryMiB: 256 }), "-m 512,slots=4,maxmem=768M");
});

test("emulated it has a CPU whose clock is steady, with KVM the host's", () => {
  assertHas(lines(), "-accel tcg,thread=multi", "-cpu Nehalem");
  assertHas(lines({ accelerator: "kvm" }), "-accel kvm", "-cpu host");
  for (const name of ["clocksource=tsc", "no_timer_check"]) assert.ok(kernelParameters("tcg").includes(name));
  assert.ok(!kernelParameters("kvm").includes("clocksource=tsc"));
  for (const accelerator of ["tcg", "kvm"] as const) {
    assert.ok(kernelParameters(accelerator).includes("cryptomgr.notests"), "no time for the ciphers' tests");
  }
});

test("it boots from a kernel, or leaves that to the firmware", () => {
  assertHas(lines(), "-kernel /k", "-initrd /i", "-append a=1 b=2");
  assert.ok(!lines({ boot: { from: "disk" } }).some((line) => /^-(kernel|initrd|append)/.test(line)));
});

test("the machine type is a setting; a q35 machine gets a port for hot-plug when asked for", () => {
  assertHas(lines(), "-M pc");
  const settings = { ...plan.settings, machine: "q35" } as const;
  assertHas(lines({ settings, hotPlug: true }), "-M q35", "-device pcie-root-port,id=hotplug0,chassis=1");
  assert.ok(!lines({ settings }).some((line) => line.includes("pcie-root-port")));
  assert.ok(!lines({ hotPlug: true }).some((line) => line.includes("pcie-root-port")));
});

test("another librbd and an allocator come in by the environment, the study's trap avoided", () => {
  const settings = { ...plan.settings, allocator: "tcmalloc", librbdDir: "/opt/ceph's/lib" } as const;
  const command = qemuCommand({ ...plan, settings, allocatorLibrary: "/lib/libtcmalloc.so.4" });
  assert.deepEqual(command.env, {
    LD_LIBRARY_PATH: "/opt/ceph's/lib",
    LD_PRELOAD: "/lib/libtcmalloc.so.4",
  });
  // A program in QEMU's place tells what reaches it when the rendered command is pasted into a shell.
  const rendered = renderCommand({ env: { A: "it's", B: "x y" }, program: "env", options: [["-u", "HOME"]] });
  assert.equal(rendered, "A='it'\\''s' \\\nB='x y' \\\nenv \\\n  -u HOME");
  const seen = execFileSync("sh", ["-c", rendered]).toString().split("\n");
  assertHas(seen, "A=it's", "B=x y");
});

test("an allocator without its library is refused: the loader would only warn, and libc be measured", () => {
  assert.throws(
    () => qemuCommand({ ...plan, settings: { ...plan.settings, allocator: "jemalloc" } }),
    (error) => error instanceof LabError && /library of jemalloc/.test(error.message),
  );
});

test("networks: user mode with forwarded ports on loopback only, or an existing tap", () => {
  assertHas(
    lines({ network: { type: "user", forwards: [{ hostPort: 2222, guestPort: 22 }] } }),
    "-netdev user,id=net0,hostfwd=tcp:127.0.0.1:2222-:22",
    "-device virtio-net-pci,netdev=net0",
  );
  assertHas(
    lines({ network: { type: "tap", device: "tap0", mac: "52:54:00:00:00:01" } }),
    "-netdev tap,id=net0,ifname=tap0,script=no,downscript=no",
    "-device virtio-net-pci,netdev=net0,mac=52:54:00:00:00:01",
  );
  assert.ok(!lines().some((line) => line.startsWith("-netdev")));
});

test("a vhost-user disk shares the guest's memory with its daemon", () => {
  assertHas(
    lines({ disk: { type: "vhost-user", socket: "/s" } }),
    "-object memory-backend-memfd,id=mem,size=512M,share=on",
    "-numa node,memdev=mem",
  );
});

test("further disks follow the one under test", () => {
  const moreDisks = [{ type: "file", path: "/seed.iso", format: "raw", readOnly: true }] as const;
  assertHas(lines({ moreDisks: [...moreDisks] }), "-drive format=raw,if=virtio,readonly=on,file=/seed.iso");
});
