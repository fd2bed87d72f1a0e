import assert from "node:assert/strict";
import { test } from "node:test";
import { host } from "../../src/host/platform.ts";
import { planRungs } from "../../src/rungs/plan.ts";
import { type LoadableRelease, planReleases } from "../../src/rungs/releases.ts";
import type { Offers } from "../../src/rungs/rung.ts";

const offers: Offers = { cpus: 2, qemuMajor: 10, tcmalloc: "/usr/lib/libtcmalloc.so.4" };
const older = { directory: "/cache/librbd/16", moduleDirectory: "/cache/librbd/16/modules" };
const releases: LoadableRelease[] = [
  { name: "pacific", platform: host, contents: { ceph: "16.2.15", librbd: "1.16.0" }, set: older },
  { name: "reef", platform: host, contents: { ceph: "18.2.7", librbd: "1.18.0" }, set: undefined },
];

test("releases are rungs that differ by librbd alone, each compared with the one before", () => {
  const planned = planReleases(offers, releases);
  assert.deepEqual(
    planned.map(({ rung }) => [rung.name, rung.title]),
    [
      ["pacific", "librbd of Pacific 16.2.15"],
      ["reef", "librbd of Reef 18.2.7"],
    ],
  );
  const [pacific, reef] = planned.map((each) =>
    each.status === "planned" ? each : assert.fail(each.reason),
  );
  assert.equal(pacific!.against, undefined);
  assert.equal(reef!.against, "pacific");
  const { librbdDir, moduleDir, ...settings } = pacific!.settings;
  assert.deepEqual([librbdDir, moduleDir], ["/cache/librbd/16", "/cache/librbd/16/modules"]);
  assert.deepEqual(
    { ...reef!.settings, librbdDir: undefined, moduleDir: undefined },
    { ...settings, librbdDir: undefined, moduleDir: undefined },
  );
  assert.deepEqual([settings.machine, settings.syntax, settings.allocator], ["q35", "blockdev", "tcmalloc"]);
});

test("the settings can be those of another rung; one that cannot be had here is refused", () => {
  const [first] = planReleases(offers, releases, "virtio-blk");
  assert.equal(first?.status === "planned" && first.settings.iothread, false);
  assert.throws(() => planReleases({ ...offers, noSecure: "auth is none" }, releases, "secure"), {
    code: "SIPHON_USAGE",
    message: /secure cannot be had here: auth is none/,
  });
});

test("where the step to a newer librbd is climbed, the rungs before it have the older one and it QEMU's own", () => {
  const names = ["tcmalloc", "new-librbd", "q35"];
  const settings = (chosen?: string[]) =>
    planRungs("cumulative", { ...offers, olderLibrbd: older }, chosen).flatMap((each) =>
      each.status === "planned" ? [[each.rung.name, each.settings.librbdDir, each.settings.moduleDir]] : [],
    );
  assert.deepEqual(settings(names), [
    ["tcmalloc", older.directory, older.moduleDirectory],
    ["new-librbd", undefined, undefined],
    ["q35", undefined, undefined],
  ]);
  assert.deepEqual(settings(["tcmalloc", "q35"]), [
    ["tcmalloc", undefined, undefined],
    ["q35", undefined, undefined],
  ]);
});
