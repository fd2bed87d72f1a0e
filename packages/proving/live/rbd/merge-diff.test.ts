import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { mergeDiffs } from "../../../rbd/src/transfer/merge-diff.ts";
import { diffs, encodeDiff, MemorySink, sourceOf } from "../../../rbd/test/support/diffs.ts";

const snapshot = fc.constantFrom("one", "two", undefined);

test("merged diffs equal those of rbd merge-diff, byte for byte", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "siphon-merge-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = (name: string) => join(directory, name);
  // Without a configuration file rbd warns and uses its defaults; merging needs no cluster.
  const env = { ...process.env, CEPH_CONF: "/dev/null" };

  const pair = fc
    .tuple(snapshot, snapshot, snapshot)
    .chain(([from, middle, to]) => fc.tuple(diffs(from, middle), diffs(middle, to)));
  for (const [earlier, later] of fc.sample(pair, { numRuns: 25, seed: 16 })) {
    const [first, second] = [await encodeDiff(earlier, 1), await encodeDiff(later, 1)];
    writeFileSync(path("first"), first);
    writeFileSync(path("second"), second);
    rmSync(path("merged"), { force: true });
    execFileSync("rbd", ["merge-diff", "--no-progress", path("first"), path("second"), path("merged")], {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const sink = new MemorySink();
    await mergeDiffs(sourceOf(first, 11), sourceOf(second, 13), sink);
    assert.deepEqual(sink.bytes, readFileSync(path("merged")), JSON.stringify({ earlier, later }));
  }
});
