import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, test } from "node:test";
import { imageGuest } from "../../src/guest/image-guest.ts";
import { qemuDefaults } from "../../src/vm/settings.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-image-guest-"));
process.env.SIPHON_CACHE_DIR = join(dir, "cache");
after(() => rmSync(dir, { recursive: true }));

const circumstances = { accelerator: "tcg", settings: qemuDefaults, parameters: ["one=more"] } as const;

test("a guest that was built is booted by the kernel beside it, found from whatever directory", async () => {
  for (const name of ["built.qcow2", "built.vmlinuz", "built.initrd"]) writeFileSync(join(dir, name), "");
  const guest = await imageGuest(relative(process.cwd(), join(dir, "built.qcow2")));
  const boot = guest.boot({ ...circumstances, parameters: [...circumstances.parameters] });
  assert.ok(boot.from === "kernel");
  assert.deepEqual([boot.kernel, boot.initramfs], [join(dir, "built.vmlinuz"), join(dir, "built.initrd")]);
  assert.match(boot.commandLine, /^root=LABEL=siphon-root .*console=ttyS0 .*one=more$/);
  const { network, moreDisks } = await guest.equipment();
  assert.equal(network?.type, "user");
  assert.deepEqual(moreDisks, []);
  assert.equal(await guest.diskFile(), join(dir, "built.qcow2"));
});

test("any other image boots from its disk and gets a seed; each VM has a port of its own", async () => {
  const guest = await imageGuest(join(dir, "cloud.qcow2"), { letIn: "cloud-init" });
  assert.deepEqual(guest.boot({ ...circumstances, parameters: [] }), { from: "disk" });
  const [first, second] = [await guest.equipment(), await guest.equipment()];
  assert.notDeepEqual(first.network, second.network);
  assert.equal(first.moreDisks.length, 1);
  assert.equal(first.moreDisks[0].readOnly, true);
  assert.deepEqual(first.moreDisks, second.moreDisks);
});
