import assert from "node:assert/strict";
import { test } from "node:test";
import { addCluster } from "../../src/cluster/add-cluster.ts";
import type { ClusterView, ImageView } from "../../src/cluster/view.ts";
import { examineVm, readVms } from "../../src/examine.ts";

const line =
  "/usr/bin/kvm -machine q35 -cpu host -object iothread,id=t -drive file=rbd:p/i:id=u,if=none,id=d0,cache=none,discard=on -device virtio-blk-pci,drive=d0,iothread=t";
const good: ImageView = {
  features: ["layering", "exclusive-lock", "object-map", "fast-diff", "deep-flatten"],
  objectSize: 4 << 20,
  snapshots: 2,
  lockers: ["client.1"],
  watchers: ["client.1"],
  overrides: [],
};
const healthy: ClusterView = {
  image: async () => good,
  pool: async (name) => ({ name, size: 3, pgs: 128, autoscale: "on" }),
  health: async () => ({ checks: [] }),
};

async function idsWith(
  change: Partial<ClusterView>,
): Promise<{ disk: string[]; vm: string[]; unseen: string[] }> {
  const [vm] = readVms([{ name: "qemu.txt", text: line }]);
  await addCluster(vm!, { ...healthy, ...change });
  const { disks, vm: whole, unseen } = examineVm(vm!);
  return { disk: disks[0]!.findings.map(({ id }) => id), vm: whole.findings.map(({ id }) => id), unseen };
}

test("a healthy cluster adds nothing", async () => {
  assert.deepEqual(await idsWith({}), { disk: [], vm: [], unseen: [] });
});

test("an image in the cluster adds facts that no configuration shows", async () => {
  const bad: ImageView = {
    features: ["layering", "exclusive-lock", "journaling"],
    parent: "p/base@s",
    objectSize: 8 << 20,
    snapshots: 99,
    lockers: ["client.7"],
    watchers: ["client.1", "client.2"],
    overrides: [{ name: "rbd_cache", value: "true", source: "pool" }],
  };
  const { disk } = await idsWith({ image: async () => bad });
  assert.deepEqual(disk.sort(), [
    ...["clone-unflattened", "features-minimal", "journaling", "lock-stale", "object-size-odd"],
    ...["setting-overridden", "snapshots-many", "watchers-several"],
  ]);
});

test("a pool's settings and the cluster's health are reported", async () => {
  const pool = async (name: string) => ({ name, size: 1, pgs: 1, autoscale: "off" as const });
  const checks = [
    { code: "OSD_NEARFULL", summary: "1 nearfull osd(s)" },
    { code: "PG_AVAILABILITY", summary: "2 pgs inactive" },
  ];
  const { vm } = await idsWith({ pool, health: async () => ({ checks }) });
  assert.deepEqual(vm.sort(), ["pgs-inactive", "pool-nearfull", "pool-one-pg", "replica-one"]);
  const fixed = await idsWith({ pool: async (name) => ({ name, size: 3, pgs: 64, autoscale: "warn" }) });
  assert.deepEqual(fixed.vm, ["autoscaler-off"]);
});

test("an erasure-coded data pool is reported if the optimizations are off", async () => {
  const image = async () => ({ ...good, dataPool: "ec" });
  const pool = (optimized: boolean) => async (name: string) => ({
    ...{ name, size: name === "ec" ? 6 : 3, pgs: 128, autoscale: "on" as const },
    ...(name === "ec" && { erasure: { optimized } }),
  });
  assert.deepEqual((await idsWith({ image, pool: pool(false) })).vm, ["erasure-unoptimized"]);
  assert.deepEqual((await idsWith({ image, pool: pool(true) })).vm, []);
});

test("a pool under another CRUSH root than the host is reported; a host that the map does not name has no root", async () => {
  const pool = async (name: string) => ({
    ...{ name, size: 3, pgs: 128, autoscale: "on" as const },
    roots: ["east"],
  });
  assert.deepEqual((await idsWith({ pool, hostRoot: async () => "west" })).vm, ["pool-other-root"]);
  assert.deepEqual((await idsWith({ pool, hostRoot: async () => "east" })).vm, []);
  assert.deepEqual((await idsWith({ pool, hostRoot: async () => undefined })).vm, []);
});

test("facts that the user may not read are listed", async () => {
  const why = "client.u may not read it (EPERM)";
  const { unseen } = await idsWith({ image: async () => ({ why }), health: async () => ({ why }) });
  assert.deepEqual(unseen, [`image p/i: ${why}`, `the cluster's health: ${why}`]);
});
