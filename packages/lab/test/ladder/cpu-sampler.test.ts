import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuTimes } from "../../src/host/proc.ts";
import { CpuSampler } from "../../src/ladder/cpu-sampler.ts";

test("the CPU of a busy process is scaled to the time that was measured", async () => {
  const busy = spawn("sh", ["-c", "while :; do :; done"]);
  const idle = spawn("sleep", ["60"]);
  try {
    using sampler = new CpuSampler(busy.pid!, [busy.pid!, idle.pid!]);
    await sleep(2500);
    const cpu = sampler.during(2)!;
    const used = cpu.client.user + cpu.client.system;
    assert.ok(used > 0 && used < 2.2, `${used} s of one busy process in 2 s`);
    assert.ok((cpu.client.threads.sh ?? 0) > 0);
    assert.ok(Math.abs(cpu.osds!.user - cpu.client.user) < 1e-9, "an idle process adds nothing");
  } finally {
    busy.kill("SIGKILL");
    idle.kill("SIGKILL");
  }
});

test("a job too short for a window has all the CPU since before its start", async () => {
  const busy = spawn("sh", ["-c", "while :; do :; done"]);
  try {
    using sampler = new CpuSampler(busy.pid!, []);
    const used = () => {
      const { user, system } = cpuTimes(busy.pid!)!;
      return user + system;
    };
    while (used() < 0.1) await sleep(100);
    const { client } = sampler.during(0.3)!;
    assert.ok(client.user + client.system > 0.05);
  } finally {
    busy.kill("SIGKILL");
  }
});

test("a process that ended leaves no figure", async () => {
  const child = spawn("true");
  await new Promise((resolve) => child.once("exit", resolve));
  using sampler = new CpuSampler(child.pid!, []);
  await sleep(300);
  assert.equal(sampler.during(2), undefined);
});
