import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const preload = join(import.meta.dirname, "support/loaded-modules.ts");
const sources = join(import.meta.dirname, "../bin/siphon.js");

/** URLs of the modules that the command loads. */
function loadedBy(...args: string[]): string[] {
  const { status, stderr } = spawnSync(process.execPath, ["--import", preload, sources, ...args], {
    // If nothing names a cluster, the lab is asked for a local one.
    env: { ...process.env, CEPH_CONF: "/dev/null" },
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stderr) as string[];
}

test("commands that read, write and serve images do not load the lab, which is larger than everything else", () => {
  for (const args of [["rbd", "--help"], ["rbd", "bench"], ["attach"], ["attachd"]]) {
    const loaded = loadedBy(...args, "--help");
    assert.ok(
      loaded.some((url) => url.includes("/packages/rbd/src/")),
      args.join(" "),
    );
    assert.deepEqual(
      loaded.filter((url) => url.includes("/packages/lab/")),
      [],
      args.join(" "),
    );
  }
});
