import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { version } from "@siphon/wire";

test("every package has the version that the program tells", () => {
  const packages = join(import.meta.dirname, "../..");
  const manifests = globSync("*/package.json", { cwd: packages });
  assert.ok(manifests.length >= 6);
  for (const path of manifests) {
    const manifest = JSON.parse(readFileSync(join(packages, path), "utf8")) as Record<string, unknown>;
    assert.equal(manifest.version, version, path);
    const wanted = Object.entries({ ...(manifest.dependencies as object) });
    for (const [name, range] of wanted) if (name.startsWith("@siphon/")) assert.equal(range, version, path);
  }
});
