import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../../src/errors.ts";
import { Daemon } from "../../src/host/daemon.ts";
import { processId } from "../../src/host/proc.ts";
import { Resource } from "../../src/state/resource.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-daemon-"));
process.env.SIPHON_STATE_DIR = dir;
after(() => rmSync(dir, { recursive: true, force: true }));

const shell = (resource: Resource, script: string) =>
  Daemon.start({ name: "test", command: "sh", args: ["-c", script], resource });

/** A shell that has said so is past its start. */
async function hasSaid(resource: Resource, text: string): Promise<void> {
  while (!readFileSync(resource.path("test.out"), "utf8").includes(text)) await sleep(20);
}

test("a daemon runs in the background with its output in the resource, until it is stopped", async () => {
  await using resource = await Resource.create("work", "runs");
  const daemon = await shell(resource, "echo started; exec sleep 60");
  await hasSaid(resource, "started");
  assert.ok(processId(daemon.pid));
  await daemon.stop();
  assert.deepEqual(await daemon.exited, { code: null, signal: "SIGKILL" });
});

test("with a grace period a daemon may end by itself", async () => {
  await using resource = await Resource.create("work", "grace");
  const daemon = await shell(resource, "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done");
  await hasSaid(resource, "ready");
  await daemon.stop({ graceMs: 10_000 });
  assert.deepEqual(await daemon.exited, { code: 7, signal: null });
});

test("work that needs a daemon fails at once when it dies, with its last words", async () => {
  await using resource = await Resource.create("work", "dies");
  const daemon = await shell(resource, "echo the disk is on fire >&2; exit 4");
  await assert.rejects(daemon.whileRunning(new Promise(() => {})), (error: LabError) => {
    assert.equal(error.code, "SIPHON_DAEMON_DIED");
    assert.match(error.message, /test ended with exit code 4: the disk is on fire/);
    return true;
  });
});

test("a program that is not there is said so", async () => {
  await using resource = await Resource.create("work", "missing");
  await assert.rejects(
    Daemon.start({ name: "x", command: "no-such-program-of-ours", args: [], resource }),
    (error: unknown) => error instanceof LabError && error.code === "SIPHON_MISSING_PROGRAM",
  );
});
