import assert from "node:assert/strict";
import { test } from "node:test";
import { debianSources, findArchive } from "../../../src/guest/debian/archive.ts";

test("of all that apt knows, only the Debian project's own archives are used, the main one first", () => {
  const targets = [
    "Debian|http://mirror/debian/|bookworm-updates|main",
    "Debian|http://mirror/debian/|bookworm|main",
    "Debian|http://mirror/debian/|bookworm|main",
    "Debian|http://mirror/debian/|bookworm|contrib",
    ". nodistro|https://deb.nodesource.com/node_20.x/|nodistro|main",
    "",
  ].join("\n");
  assert.deepEqual(debianSources(targets), [
    "deb http://mirror/debian/ bookworm main",
    "deb http://mirror/debian/ bookworm-updates main",
  ]);
});

test("a mirror that is named is the only one that is asked", async () => {
  assert.deepEqual(await findArchive({ suite: "trixie", mirror: "http://mirror.test/debian" }), {
    suite: "trixie",
    sources: ["deb http://mirror.test/debian trixie main"],
  });
});
