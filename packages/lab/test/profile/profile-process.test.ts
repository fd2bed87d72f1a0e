import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { run, which } from "../../src/host/command.ts";
import type { BackendName, Profile } from "../../src/profile/profile.ts";
import { profileProcess } from "../../src/profile/profile-process.ts";
import { Resource } from "../../src/state/resource.ts";
import { HotProcess } from "./hot-process.ts";

const state = await mkdtemp(join(tmpdir(), "siphon-profile-"));
process.env.SIPHON_STATE_DIR = state;
after(() => rm(state, { recursive: true, force: true }));

for (const backend of ["eu-stack", "gdb", "perf"] as const) {
  test(`${backend} finds the hot function, and leaves the process running`, async (context) => {
    const why = await unusable(backend);
    if (why) return context.skip(why);
    await using hot = await HotProcess.start();
    const profile = await profileProcess(hot.pid, { seconds: 1.5, intervalMs: 20, backend });
    assert.equal(profile.backend, backend);
    assert.equal(profile.cutShort, undefined);
    const main = groupOf(profile, "MainThread");
    assert.ok(main.running > 0, "it was seen running");
    const inHot = main.stacks.filter(({ frames }) => frames.some((name) => name.includes("veryHot")));
    const share = inHot.reduce((sum, { running }) => sum + running, 0) / main.running;
    assert.ok(share > 0.5, `the hot function has ${share} of the samples that ran`);
    assert.ok(busyOf(profile, "MainThread") > 0);
    assert.deepEqual(hot.stopped(), []);
    assert.deepEqual(await Resource.list("work"), [], "no temporary files stay");
  });
}

test("threads that wait are shown waiting, in the function that waits", async () => {
  await using hot = await HotProcess.start();
  const profile = await profileProcess(hot.pid, { seconds: 1, backend: "eu-stack" });
  const workers = groupOf(profile, "V8Worker");
  // Without debug symbols the C library names only what it exports: "[libc.so.6]" stands for the rest.
  const innermost = (frames: string[]) => frames.findLast((name) => !name.startsWith("[")) ?? "";
  const waiting = workers.stacks.filter(({ frames }) => /futex|cond_wait/.test(innermost(frames)));
  const share = waiting.reduce((sum, { samples }) => sum + samples, 0) / workers.samples;
  assert.ok(share > 0.5, `${share} of the samples wait`);
  assert.ok(waiting.every(({ running }) => running === 0));
});

for (const backend of ["eu-stack", "gdb", "perf"] as const) {
  test(`${backend}: a process that ends midway leaves a profile of what it did until then`, async (context) => {
    const why = await unusable(backend);
    if (why) return context.skip(why);
    await using hot = await HotProcess.start();
    let begun = false;
    const report = (text: string) => {
      if (begun || !/sample|records/.test(text)) return;
      begun = true;
      setTimeout(() => void hot.kill(), 1500);
    };
    const profile = await profileProcess(hot.pid, { seconds: 3600, backend, report });
    assert.equal(profile.cutShort, "the process ended");
    assert.ok(profile.rounds >= 1);
  });
}

test("an abort ends the sampling; the process runs on", async () => {
  await using hot = await HotProcess.start();
  const stop = new AbortController();
  const profile = await profileProcess(hot.pid, {
    seconds: 3600,
    backend: "eu-stack",
    signal: stop.signal,
    report: () => stop.abort(),
  });
  assert.equal(profile.cutShort, "interrupted");
  assert.deepEqual(hot.stopped(), []);
  const aborted = profileProcess(hot.pid, { signal: stop.signal });
  await assert.rejects(aborted, { name: "AbortError" });
});

test("a process that was stopped before stays as it was", async () => {
  await using hot = await HotProcess.start();
  hot.child.kill("SIGSTOP");
  while (hot.stopped().length === 0) await sleep(10);
  await profileProcess(hot.pid, { seconds: 0.5, backend: "eu-stack" });
  assert.ok(hot.stopped().length > 0);
});

test("a process that a debugger holds is left to it", async () => {
  await using hot = await HotProcess.start();
  const tracer = spawn("gdb", ["--quiet", "--nx", "--interpreter=mi3", "-p", `${hot.pid}`]);
  try {
    while (hot.stopped().length === 0) await sleep(20);
    await assert.rejects(profileProcess(hot.pid, { backend: "eu-stack" }), {
      code: "SIPHON_IN_USE",
      message: new RegExp(`traced by process ${tracer.pid} \\(gdb\\)`),
    });
  } finally {
    tracer.kill("SIGKILL");
    await once(tracer, "exit");
  }
});

test("no process, no profile", async () => {
  await assert.rejects(profileProcess(2 ** 22 + 1), { code: "SIPHON_NOT_FOUND" });
});

test("another user's process needs privileges", {
  skip: process.getuid?.() !== 0 && "needs root",
}, async () => {
  await using hot = await HotProcess.start();
  for (const backend of ["eu-stack", "gdb"]) {
    // Everything is loaded before the user changes: a checkout may be root's alone.
    const script = `
      import { profileProcess } from ${JSON.stringify(new URL("../../src/profile/profile-process.ts", import.meta.url).href)};
      process.setgroups([]);
      process.setgid(65534);
      process.setuid(65534);
      await profileProcess(${hot.pid}, { seconds: 1, backend: "${backend}" }).catch(({ code, hint }) => console.log(code, hint));
    `;
    const asNobody = await mkdtemp(join(tmpdir(), "siphon-nobody-"));
    await run("chown", ["65534", asNobody]);
    const { stdout, stderr } = await run(process.execPath, ["--input-type=module", "-e", script], {
      env: { SIPHON_STATE_DIR: asNobody, HOME: asNobody },
      cwd: asNobody,
    });
    await rm(asNobody, { recursive: true });
    assert.match(stdout, /^SIPHON_PERMISSION run siphon as root/, stderr);
  }
  assert.deepEqual(hot.stopped(), []);
});

async function unusable(backend: BackendName): Promise<string | undefined> {
  if (!(await which(backend))) return `${backend} is not installed`;
  if (backend !== "perf") return undefined;
  const probe = await run(
    "perf",
    ["record", "--quiet", "--event", "cpu-clock", "--output", "/dev/null", "true"],
    {
      anyExitCode: true,
    },
  );
  return probe.exitCode === 0 ? undefined : "perf may not be used here";
}

function groupOf({ groups }: Profile, name: string) {
  const group = groups.find((each) => each.name === name);
  assert.ok(group, `no thread ${name} among ${groups.map((each) => each.name).join(", ")}`);
  return group;
}

function busyOf({ threads }: Profile, name: string): number {
  return Math.max(...threads.filter((thread) => thread.name === name).map(({ busy }) => busy));
}
