import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { LocalCluster } from "@siphon/lab";
import { adversities } from "../../support/attach/adversity/adversities.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-adversity-"));
process.env.SIPHON_STATE_DIR = join(directory, "state");

describe("siphon attach serves a checked load without loss:", () => {
  let ceph: LocalCluster;

  before(async () => {
    const spec = { osds: 1, replicas: 1, store: "memstore", auth: "cephx", pgs: 8 } as const;
    ceph = await LocalCluster.up({ name: "adversity", ...spec });
  });

  after(async () => {
    await ceph?.down();
    rmSync(directory, { recursive: true, force: true });
  });

  for (const { name, happens } of adversities) {
    test(name, async () => {
      const figures = await happens({ ceph, directory, seconds: 1 });
      for (const [what, value] of Object.entries(figures)) assert.ok(value > 0, what);
    });
  }
});
