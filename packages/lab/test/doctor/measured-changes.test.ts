import assert from "node:assert/strict";
import { test } from "node:test";
import { examineVm, readVms } from "@siphon/doctor";
import { measurable, mendedBy, planChanges } from "../../src/doctor/measured-changes.ts";
import { vmSettingsOf } from "../../src/doctor/vm-settings.ts";

const offers = { cpus: 2, qemuMajor: 7, tcmalloc: "/usr/lib/libtcmalloc.so.4" };

function planned(line: string, beside: Record<string, string> = {}) {
  const inputs = Object.entries({ "qemu.txt": line, ...beside }).map(([name, text]) => ({ name, text }));
  const [vm] = readVms(inputs);
  const [disk] = vm!.disks;
  const findings = measurable(examineVm(vm!), disk!.name);
  const { settings, notes, cpus } = vmSettingsOf(vm!, disk!, 2);
  return {
    settings,
    notes,
    cpus,
    findings,
    plan: (change = {}) => planChanges(settings, findings, { ...offers, ...change }),
  };
}

const kvm = "/usr/bin/kvm -cpu host -smp 8 -machine pc";

test("each change alone is held against the VM as it is; the last rung has them all", () => {
  const { plan, findings } = planned(
    `${kvm} -drive file=rbd:p/i:id=u:rbd_cache_size=1:mon_host=a,if=none,id=d,cache=writeback -device virtio-scsi-pci,id=s -device scsi-hd,bus=s.0,drive=d`,
  );
  const rungs = plan();
  const names = rungs.map(({ rung }) => rung.name);
  assert.deepEqual([names.at(0), names.at(-1)], ["as-it-is", "all-changes"]);
  assert.deepEqual(names.slice(1, -1).sort(), ["cache-librbd-on", "iothread-missing", "machine-i440fx"]);
  const settingsOf = (name: string) => {
    const rung = rungs.find((each) => each.rung.name === name);
    assert.ok(rung?.status === "planned");
    assert.equal(rung.against, name === "as-it-is" ? undefined : "as-it-is");
    const { device, iothread, cache, machine, clientOptions } = rung.settings;
    return { device, iothread, cache, machine, clientOptions };
  };
  const base = {
    ...{ device: "virtio-scsi", iothread: false, cache: "default", machine: "pc" },
    clientOptions: { rbd_cache_size: "1" },
  };
  assert.deepEqual(settingsOf("as-it-is"), base);
  assert.deepEqual(settingsOf("iothread-missing"), { ...base, iothread: true });
  assert.deepEqual(settingsOf("all-changes"), { ...base, iothread: true, cache: "none", machine: "q35" });
  // Two findings, one change.
  assert.deepEqual(mendedBy("cache-librbd-on", findings).sort(), [
    "cache-librbd-on",
    "cache-writeback-depends",
  ]);
});

test("what cannot be had here is skipped with the reason, and told where another bus stands for the VM's", () => {
  const { plan, notes, cpus, settings } = planned(
    `${kvm} -device ich9-ahci,id=ahci -drive file=rbd:p/i:id=u,if=none,id=d,cache=none,discard=on -device ide-hd,drive=d,bus=ahci.0`,
    { "maps.txt": "7f01-7f02 r-xp 0 08:01 1 /usr/lib/librbd.so.1.16.0\n" },
  );
  assert.deepEqual([settings.device, cpus], ["ide", 2]);
  assert.match(notes.join(" "), /has 2 vCPUs, as many as this machine, not 8.*no driver for SATA/);
  const rung = plan({ tcmalloc: undefined }).find((each) => each.rung.name === "allocator-libc");
  assert.ok(rung?.status === "skipped" && /libtcmalloc is not installed/.test(rung.reason));
});

test("a VM in secure mode is measured in secure mode, or not at all", () => {
  const { plan, settings } = planned(
    `${kvm} -drive file=rbd:p/i:id=u:ms_client_mode=secure,if=none,id=d,cache=none -device virtio-blk-pci,drive=d`,
  );
  assert.equal(settings.clientOptions.ms_client_mode, "secure");
  const crc = plan().find(({ rung }) => rung.name === "secure-cost");
  assert.ok(crc?.status === "planned" && crc.settings.clientOptions.ms_client_mode === "crc");
  assert.deepEqual(
    plan({ noSecure: "no cephx" }).map(({ status }) => status),
    ["skipped"],
  );
});

test("a disk that the kernel maps is refused", () => {
  const [vm] = readVms([
    { name: "q", text: `${kvm} -drive file=/dev/rbd/p/i,if=none,id=d -device virtio-blk-pci,drive=d` },
  ]);
  assert.throws(() => vmSettingsOf(vm!, vm!.disks[0]!, 2), /not served by librbd/);
});
