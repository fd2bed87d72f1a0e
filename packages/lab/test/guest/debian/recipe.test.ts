import assert from "node:assert/strict";
import { test } from "node:test";
import { mmdebstrapArguments, type Recipe, recipeHash } from "../../../src/guest/debian/recipe.ts";
import { run } from "../../../src/host/command.ts";

const recipe: Recipe = {
  archive: { suite: "bookworm", sources: ["deb http://mirror.test/debian bookworm main"] },
  size: 4 * 1024 ** 3,
  publicKey: "ssh-ed25519 AAAA siphon",
};

test("an image is known by all that goes into it", () => {
  const others: Recipe[] = [
    { ...recipe, size: 5 * 1024 ** 3 },
    { ...recipe, publicKey: "ssh-ed25519 BBBB siphon" },
    { ...recipe, archive: { ...recipe.archive, suite: "trixie" } },
    { ...recipe, archive: { ...recipe.archive, sources: [] } },
  ];
  const hashes = [recipe, { ...recipe }, ...others].map(recipeHash);
  assert.equal(hashes[0], hashes[1]);
  assert.equal(new Set(hashes).size, 1 + others.length);
});

test("what runs in the guest while it is built is valid shell", async () => {
  const hooks = mmdebstrapArguments(recipe, "root.tar").filter((argument) => /-hook=/.test(argument));
  assert.equal(hooks.length, 2);
  for (const hook of hooks) await run("sh", ["-n", "-c", hook.slice(hook.indexOf("=") + 1)]);
});
