import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError, type LabErrorCode } from "../../src/errors.ts";
import { Qmp } from "../../src/vm/qmp.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-qmp-"));
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

/** A QEMU without a machine; it starts in no time. */
function qemu(): { socket: string; child: ChildProcess } {
  const socket = join(dir, crypto.randomUUID());
  const args = ["-M", "none", "-display", "none", "-nodefaults", "-qmp", `unix:${socket},server=on,wait=off`];
  const child = spawn("qemu-system-x86_64", args, { stdio: "ignore" });
  children.push(child);
  return { socket, child };
}

/** Connects once QEMU listens. */
async function connected(socket: string): Promise<Qmp> {
  const qmp = await Qmp.connect(socket).catch(() => sleep(20));
  return qmp ?? connected(socket);
}

const failsWith =
  (code: LabErrorCode, pattern: RegExp) =>
  (error: unknown): boolean =>
    error instanceof LabError && error.code === code && pattern.test(error.message);

test("commands answer, refusals carry QEMU's words, and replies do not mix", async () => {
  using qmp = await connected(qemu().socket);
  const [status, name, refused] = await Promise.allSettled([
    qmp.execute("query-status"),
    qmp.execute("query-name"),
    qmp.execute("object-add", { "qom-type": "nonsense", id: "x" }),
  ]);
  assert.equal(status.status === "fulfilled" && (status.value as { status: string }).status, "running");
  assert.deepEqual(name, { status: "fulfilled", value: {} });
  assert.ok(refused.status === "rejected");
  assert.ok(failsWith("SIPHON_VM", /QEMU refuses object-add: .*nonsense/)(refused.reason));
});

test("events are told to those who wait for them", async () => {
  using qmp = await connected(qemu().socket);
  const stopped = qmp.nextEvent(({ event }) => event === "STOP");
  await qmp.execute("stop");
  assert.equal((await stopped).event, "STOP");
});

test("a QEMU that is killed fails what waits for it, and whatever comes after", async () => {
  const { socket, child } = qemu();
  using qmp = await connected(socket);
  const event = qmp.nextEvent(() => false);
  child.kill("SIGKILL");
  await assert.rejects(event, failsWith("SIPHON_VM", /connection ended/));
  await assert.rejects(qmp.execute("query-status"), failsWith("SIPHON_VM", /connection ended/));
});

test("if nothing listens, and if nothing sends a banner", async () => {
  await assert.rejects(Qmp.connect(join(dir, "nobody")), failsWith("SIPHON_VM", /connection ended/));
  const silent = createServer(() => {}).listen(join(dir, "silent"));
  await assert.rejects(
    Qmp.connect(join(dir, "silent"), { timeoutMs: 50 }),
    failsWith("SIPHON_TIMEOUT", /did not greet/),
  );
  silent.close();
});
