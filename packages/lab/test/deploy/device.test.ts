import assert from "node:assert/strict";
import { test } from "node:test";
import { type Inspection, objection, parseInspections } from "../../src/deploy/device.ts";

const blank: Inspection = { path: "/dev/sdb", kind: "block", signatures: [], written: false, nodes: [] };
const disk = { path: "/dev/sdb", type: "disk", bytes: 4e12 };
const osd = { device: "/dev/sdb" };
const why = (found: Partial<Inspection>, wipe = false) => objection(osd, { ...blank, ...found }, wipe);

test("what a host printed of its devices is read", () => {
  const printed = [
    "device\t/dev/sdb\tblock",
    "signature\tgpt",
    "written",
    "node\t/dev/sdb\tdisk\t4000787030016",
    "node\t/dev/sdb1\tpart\t1073741824\t/boot",
    "device\t/data/new.img\tabsent",
    "removed by hand",
  ];
  assert.deepEqual(parseInspections(printed), [
    {
      path: "/dev/sdb",
      kind: "block",
      signatures: ["gpt"],
      written: true,
      nodes: [
        { path: "/dev/sdb", type: "disk", bytes: 4000787030016, mount: undefined },
        { path: "/dev/sdb1", type: "part", bytes: 1073741824, mount: "/boot" },
      ],
    },
    { path: "/data/new.img", kind: "absent", signatures: [], written: false, nodes: [] },
  ]);
});

test("a blank device is taken", () => {
  assert.equal(why({ nodes: [disk] }), undefined);
});

test("a device that holds data is refused, unless it may be wiped", () => {
  assert.equal(why({ nodes: [disk], signatures: ["ext4"], written: true }), "/dev/sdb holds data (ext4)");
  assert.equal(why({ nodes: [disk], written: true }), "/dev/sdb holds data (of an unknown kind)");
  const parts = [disk, { path: "/dev/sdb1", type: "part", bytes: 1e9 }];
  assert.equal(
    why({ nodes: parts, signatures: ["dos", "gpt", "gpt"] }),
    "/dev/sdb holds data (dos, gpt, /dev/sdb1)",
  );
  assert.equal(why({ nodes: parts, signatures: ["gpt"], written: true }, true), undefined);
});

test("a device in use is refused also when it may be wiped", () => {
  const mounted = { path: "/dev/sdb1", type: "part", bytes: 1e9, mount: "/home" };
  assert.equal(why({ nodes: [disk, mounted] }, true), "/dev/sdb is in use: /dev/sdb1 is mounted on /home");
  const swap = { ...disk, mount: "[SWAP]" };
  assert.equal(why({ nodes: [swap] }, true), "/dev/sdb is in use: /dev/sdb is swap");
  const volume = { path: "/dev/mapper/vg-root", type: "lvm", bytes: 1e9 };
  assert.equal(
    why({ nodes: [disk, volume] }, true),
    "/dev/sdb is in use: /dev/mapper/vg-root (lvm) is on it",
  );
});

test("a device must be there, and a file need not", () => {
  assert.equal(why({ kind: "absent" }), "there is no /dev/sdb");
  assert.equal(
    objection({ file: "/data/a", size: 1 }, { ...blank, path: "/data/a", kind: "absent" }, false),
    undefined,
  );
});

test("a file is not taken for a device, nor a device for a file", () => {
  assert.equal(why({ kind: "file" }), "/dev/sdb is a file: name it with file:");
  assert.match(
    objection({ file: "/dev/sdb", size: 1 }, blank, false) ?? "",
    /is a block device: name it with device:/,
  );
  assert.equal(why({ kind: "other" }), "/dev/sdb is neither a block device nor a file");
});
