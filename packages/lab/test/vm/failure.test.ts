import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { Resource } from "../../src/state/resource.ts";
import { vmFiles } from "../../src/vm/arguments.ts";
import { qemuEndedError } from "../../src/vm/failure.ts";
import { TestStateDir } from "../support/state-dir.ts";

const stateDir = new TestStateDir();
after(() => stateDir[Symbol.asyncDispose]());

const vm = await Resource.create("vms", "vm1");
const ended = (code: number | null, signal: NodeJS.Signals | null, lastWords = "it said nothing") =>
  qemuEndedError(vm, { exit: { code, signal }, lastWords });

// As QEMU 7.2 says it without Debian's qemu-block-extra, for -drive and for -blockdev.
for (const words of [
  "qemu-system-x86_64: -drive format=raw,file=rbd:p/i:id=u:conf=/c: Unknown protocol 'rbd'",
  "qemu-system-x86_64: -blockdev driver=rbd,node-name=rbd0,pool=p,image=i: Unknown driver 'rbd'",
]) {
  test(`a QEMU without the rbd driver: the package is named (${/Unknown \w+/.exec(words)?.[0]})`, () => {
    const error = ended(1, null, words);
    assert.equal(error.code, "SIPHON_VM");
    assert.match(error.hint ?? "", /apt-get install qemu-block-extra/);
  });
}

test("a killed QEMU, a guest that powers off, and a guest that panics are three things", () => {
  assert.match(ended(null, "SIGKILL").message, /^QEMU of VM vm1 was ended by SIGKILL/);
  const off = ended(0, null);
  assert.equal(off.code, "SIPHON_GUEST");
  assert.match(off.message, /powered off or reset itself; its console is empty/);
  const console =
    "[    1.0] booting\r\n[    9.8] BUG: unable to handle page fault\r\n[    9.9] Kernel panic - not syncing: Fatal exception\r\n[   10.0] more\r\n";
  writeFileSync(vm.path(vmFiles.console), console);
  const panic = ended(0, null);
  assert.equal(panic.code, "SIPHON_GUEST");
  assert.equal(
    panic.message,
    "the guest of VM vm1 died: Kernel panic - not syncing: Fatal exception (BUG: unable to handle page fault)",
  );
  assert.equal(panic.retryable, false);
});

test("what an emulated guest panics of may not come again", async () => {
  const emulated = await Resource.create("vms", "vm2", { accelerator: "tcg" });
  writeFileSync(
    emulated.path(vmFiles.console),
    "Kernel panic - not syncing: Fatal exception in interrupt\r\n",
  );
  const error = qemuEndedError(emulated, { exit: { code: 0, signal: null }, lastWords: "" });
  assert.ok(error.retryable);
});
