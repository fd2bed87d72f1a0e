import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ThreadWatch, Usage } from "../../src/profile/thread-watch.ts";

test("a busy process shows its CPU, and its total remains after its end", async () => {
  const child = spawn("sh", ["-c", "while :; do :; done"]);
  const watch = new ThreadWatch(child.pid!);
  const usage = new Usage();
  await usage.during(watch, async () => {
    while ((watch.last.threads.get(child.pid!)?.cpu ?? 0) < 0.2) {
      await sleep(20);
      watch.read();
    }
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  assert.equal(watch.read().size, 0);
  const [thread] = usage.threads();
  assert.equal(thread.name, "sh");
  assert.ok(thread.busy > 0);
  assert.equal(usage.busy, thread.busy);
});

test("measured spans add up, and usage between them does not count", async () => {
  const child = spawn("sh", ["-c", "while :; do :; done"]);
  try {
    const watch = new ThreadWatch(child.pid!);
    const usage = new Usage();
    await usage.during(watch, () => sleep(100));
    const { seconds } = usage;
    await sleep(100);
    // On a busy machine its turn may not have come yet.
    do await usage.during(watch, () => sleep(100));
    while (usage.busy === 0);
    assert.ok(usage.seconds >= seconds + 0.09);
    const [thread] = usage.threads();
    assert.ok(thread.busy <= 101 && thread.busy + thread.delayed > 0);
  } finally {
    child.kill("SIGKILL");
  }
});
