import assert from "node:assert/strict";
import { test } from "node:test";
import { archiveAmong, debianSources, findArchive } from "../../../src/guest/debian/archive.ts";

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

const source = (release: string) => `deb http://mirror/debian/ ${release} main`;

test("a machine's own release comes from all that it installs from, another from the main archive", () => {
  const sources = ["bookworm", "bookworm-updates", "bookworm-security"].map(source);
  assert.deepEqual(archiveAmong(sources, { codename: "bookworm" }), { suite: "bookworm", sources });
  assert.deepEqual(archiveAmong(sources, { suite: "sid", codename: "bookworm" }), {
    suite: "sid",
    sources: [source("sid")],
  });
});

test("sid, which calls itself by the name of the next release, is sid", () => {
  const sources = [source("sid")];
  assert.deepEqual(archiveAmong(sources, { codename: "forky" }), { suite: "sid", sources });
  assert.deepEqual(archiveAmong(sources, { suite: "sid", codename: "forky" }), { suite: "sid", sources });
});

test("a release beside the machine's own gives no packages to a guest", () => {
  const sources = ["sid", "trixie", "trixie-updates"].map(source);
  assert.deepEqual(archiveAmong(sources, { codename: "trixie" }).sources, sources.slice(1));
});

test("without sources the release's own archive is asked", () => {
  assert.deepEqual(archiveAmong([], { codename: "trixie" }).sources, [
    "deb http://deb.debian.org/debian trixie main",
  ]);
  assert.equal(archiveAmong([], {}).suite, "bookworm");
});
