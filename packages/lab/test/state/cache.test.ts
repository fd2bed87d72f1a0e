import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { cached, removeAbandonedBuilds } from "../../src/state/cache.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-cache-"));
process.env.SIPHON_CACHE_DIR = dir;
after(() => rmSync(dir, { recursive: true, force: true }));

test("a cached entry is not built again", async () => {
  let builds = 0;
  const build = async (at: string) => {
    builds++;
    writeFileSync(join(at, "file"), "content");
  };
  const first = await cached("things", "one", build);
  assert.equal(await cached("things", "one", build), first);
  assert.equal(readFileSync(join(first, "file"), "utf8"), "content");
  assert.equal(builds, 1);
});

test("a build that fails leaves nothing, and can be tried again", async () => {
  const failing = cached("failing", "one", async (at) => {
    writeFileSync(join(at, "half"), "");
    throw new Error("no network");
  });
  await assert.rejects(failing, /no network/);
  assert.deepEqual(readdirSync(join(dir, "failing")), []);
  await cached("failing", "one", async () => {});
});

test("two builders at once both get the whole thing of the one that was first", async () => {
  const bothStarted = Promise.withResolvers<void>();
  let started = 0;
  const build = (content: string) => async (at: string) => {
    if (++started === 2) bothStarted.resolve();
    await bothStarted.promise;
    writeFileSync(join(at, "file"), content);
  };
  const [left, right] = await Promise.all([
    cached("raced", "one", build("same")),
    cached("raced", "one", build("same")),
  ]);
  assert.equal(left, right);
  assert.equal(readFileSync(join(left, "file"), "utf8"), "same");
  assert.deepEqual(readdirSync(join(dir, "raced")), ["one"]);
});

test("what a crashed builder left is removed, what another still builds is not", async () => {
  const parent = join(dir, "crashed");
  const abandoned = join(parent, ".building-999999999-1-x");
  mkdirSync(abandoned, { recursive: true });
  let underWay = "";
  await cached("crashed", "outer", async (at) => {
    underWay = at;
    await cached("crashed", "inner", async () => {});
    assert.ok(existsSync(underWay));
  });
  assert.ok(!existsSync(abandoned));
});

test("cleaning removes what crashed builders of every kind have left, and nothing that is finished", async () => {
  const finished = await cached("kept", "one", async () => {});
  const abandoned = ["kept", "other"].map((kind) => join(dir, kind, ".building-999999999-1-x"));
  for (const path of abandoned) mkdirSync(path, { recursive: true });
  await removeAbandonedBuilds();
  assert.deepEqual([finished, ...abandoned].map(existsSync), [true, false, false]);
});
