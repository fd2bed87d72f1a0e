import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const preload = join(import.meta.dirname, "support/loaded-modules.ts");
const sources = join(import.meta.dirname, "../bin/siphon.js");

/** Modules that the command loads, by their addresses. */
function loadedBy(...args: string[]): string[] {
  const { status, stderr } = spawnSync(process.execPath, ["--import", preload, sources, ...args], {
    // Where nothing names a cluster, the lab is asked for one of its own.
    env: { ...process.env, CEPH_CONF: "/dev/null" },
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stderr) as string[];
}

test("what reads, writes and serves images does not load the lab, which is larger than all the rest", () => {
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
