import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { processId } from "../../src/host/proc.ts";
import { profilePid } from "../../src/profile/target.ts";
import { Resource } from "../../src/state/resource.ts";

const state = await mkdtemp(join(tmpdir(), "siphon-target-"));
process.env.SIPHON_STATE_DIR = state;
after(() => rm(state, { recursive: true, force: true }));

test("a number is a process, a name a VM", async () => {
  assert.equal(await profilePid("4711"), 4711);
  await using _vm = await Resource.create("vms", "web", { qemu: processId(process.pid) });
  assert.equal(await profilePid("web"), process.pid);
});

test("a VM that is not there, or whose QEMU has ended, is said so", async () => {
  await assert.rejects(profilePid("none"), { code: "SIPHON_NOT_FOUND", message: "there is no VM none" });
  await using _vm = await Resource.create("vms", "gone", { qemu: { pid: process.pid, startTime: 1 } });
  await assert.rejects(profilePid("gone"), /does not run any more/);
});
