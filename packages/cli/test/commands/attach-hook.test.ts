import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { disksOfNotes } from "../../src/commands/attach/hook.ts";
import { main } from "../support/programs.ts";

test("a Proxmox VM's notes name its disks; its snapshots' do not count", () => {
  const text =
    "#a VM\n#siphon image=pool/vm1 limit=iops%3D100,bps=1M\n#siphonage\n#siphon name=data image=pool/data\ncores: 2\n\n[old]\n#siphon image=pool/old\n";
  assert.deepEqual(disksOfNotes(text, "100"), [
    { name: "vm-100-0", words: { image: "pool/vm1", limit: "iops=100,bps=1M" } },
    { name: "data", words: { image: "pool/data" } },
  ]);
  assert.throws(() => disksOfNotes("#siphon pool/vm1\n", "100"), /pool\/vm1, which is not NAME=VALUE/);
});

test("a hook has no business with domains that have no disk of siphon's, or at other moments", () => {
  const hook = (operation: string, xml: string) =>
    spawnSync(process.execPath, [main, "attach", "hook", "libvirt", "vm1", operation, "begin", "-"], {
      ...{ encoding: "utf8", input: xml },
    });
  assert.equal(hook("prepare", "<domain><name>vm1</name></domain>").status, 0);
  assert.equal(hook("started", "<x urn:siphon:attach").status, 0);
  const mine =
    "<domain><metadata><s:attach xmlns:s='urn:siphon:attach'><s:disk name='a' target='vda' image='p/a'/></s:attach></metadata></domain>";
  const { status, stderr } = hook("prepare", mine);
  assert.equal(status, 1);
  assert.match(stderr, /no service answers at \/run\/siphon\/attachd\.sock/);
});
