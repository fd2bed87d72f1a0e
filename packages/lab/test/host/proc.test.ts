import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import {
  cpuBetween,
  cpuTimes,
  isRunning,
  pidsWithEnvironment,
  processId,
  threadTimes,
} from "../../src/host/proc.ts";

test("a running process is told from one that ended, and from another with its pid", async () => {
  const child = spawn("sleep", ["60"]);
  const id = processId(child.pid!)!;
  assert.ok(isRunning(id));
  assert.ok(
    !isRunning({ ...id, startTime: id.startTime + 1 }),
    "same pid, other start: not the same process",
  );
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.ok(!isRunning(id));
  assert.equal(processId(id.pid), undefined);
  assert.equal(cpuTimes(id.pid), undefined);
});

test("CPU that a process burns shows in its times, and under its thread's name", async () => {
  const child = spawn("sh", ["-c", "while :; do :; done"]);
  try {
    const before = cpuTimes(child.pid!)!;
    let used = cpuBetween(before, cpuTimes(child.pid!)!);
    while (used.user + used.system < 0.1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      used = cpuBetween(before, cpuTimes(child.pid!)!);
    }
    assert.ok((used.threads.get("sh") ?? 0) > 0.05);
  } finally {
    child.kill("SIGKILL");
  }
});

test("what a thread used stays known after its end", async () => {
  const work = "const end = Date.now() + 500; while (Date.now() < end);";
  const program = `new (require("node:worker_threads").Worker)(${JSON.stringify(work)}, { eval: true })`;
  const child = spawn(process.execPath, ["-e", `${program}; setInterval(() => {}, 1000);`]);
  try {
    const before = cpuTimes(child.pid!)!;
    let times = before;
    const ended = () => {
      const living = new Set(threadTimes(child.pid!).map(({ tid }) => tid));
      return [...times.threads].find(([tid, { seconds }]) => !living.has(tid) && seconds > 0);
    };
    while (!ended()) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      times = cpuTimes(child.pid!, times)!;
    }
    const [, { name, seconds }] = ended()!;
    assert.ok(cpuBetween(before, times).threads.get(name)! >= seconds);
  } finally {
    child.kill("SIGKILL");
  }
});

test("processes are found by a variable of their environment", async () => {
  const mark = `mark-${process.pid}`;
  const child = spawn("sleep", ["60"], { env: { ...process.env, SIPHON_TEST_MARK: mark } });
  try {
    assert.deepEqual(
      pidsWithEnvironment("SIPHON_TEST_MARK", (value) => value === mark),
      [child.pid],
    );
    assert.deepEqual(
      pidsWithEnvironment("SIPHON_TEST_MARK", (value) => value === `${mark}x`),
      [],
    );
  } finally {
    child.kill("SIGKILL");
  }
});

test("processes of a container are not among them", {
  skip: process.getuid?.() !== 0 && "needs root",
}, async () => {
  const mark = `container-${process.pid}`;
  const env = { ...process.env, SIPHON_TEST_MARK: mark };
  const container = spawn(
    "unshare",
    ["--pid", "--fork", "--kill-child", "sh", "-c", "echo up; exec sleep 60"],
    {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  try {
    await once(container.stdout, "data");
    const found = pidsWithEnvironment("SIPHON_TEST_MARK", (value) => value === mark);
    assert.deepEqual(found, [container.pid], "unshare itself, and not what runs in its namespace");
  } finally {
    container.kill("SIGKILL");
  }
});

test("each thread shows its own CPU time, and whether it runs", async () => {
  const child = spawn("sh", ["-c", "while :; do :; done"]);
  const idle = spawn("sleep", ["60"]);
  try {
    let [thread] = threadTimes(child.pid!);
    while (!thread || thread.cpu < 0.1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      [thread] = threadTimes(child.pid!);
    }
    assert.equal(thread.tid, child.pid);
    assert.equal(thread.name, "sh");
    assert.ok(thread.running);
    // It runs until it sleeps.
    let idling = threadTimes(idle.pid!);
    while (idling[0]!.running) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      idling = threadTimes(idle.pid!);
    }
    assert.deepEqual(
      idling.map(({ name }) => name),
      ["sleep"],
    );
  } finally {
    child.kill("SIGKILL");
    idle.kill("SIGKILL");
  }
  await Promise.all([once(child, "exit"), once(idle, "exit")]);
  assert.deepEqual(threadTimes(child.pid!), []);
});
