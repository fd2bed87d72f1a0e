import assert from "node:assert/strict";
import { after, test } from "node:test";
import { smallGuest } from "../../src/guest/small.ts";
import { chooseAccelerator, probeKvm } from "../../src/vm/accelerator.ts";
import { listVms } from "../../src/vm/kept.ts";
import { TestStateDir } from "../support/state-dir.ts";

const stateDir = new TestStateDir();
after(() => stateDir[Symbol.asyncDispose]());

test("the choice is made once: later it needs no guest", async () => {
  const first = await chooseAccelerator("auto", smallGuest);
  const again = await chooseAccelerator("auto", () => Promise.reject(new Error("no guest is needed")));
  assert.deepEqual(again, first);
  assert.ok(first.reason.length > 20);
});

test("an explicit choice is not questioned", async () => {
  const choice = await chooseAccelerator("kvm", () => Promise.reject(new Error("no guest is needed")));
  assert.deepEqual(choice, { name: "kvm", reason: "asked for with --accel kvm" });
});

test("KVM is believed only when a guest comes up under it; whatever it does, nothing is left", async () => {
  const { name, reason } = await probeKvm(await smallGuest());
  assert.match(
    reason,
    name === "kvm" ? /comes up under KVM/ : /does not come up under it: .*(QEMU|guest) of VM/,
  );
  assert.deepEqual(await listVms(), []);
  assert.deepEqual(stateDir.running(), []);
});
