import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheSettings } from "../../src/cache/cache-settings.ts";
import { Settings } from "../../src/settings/settings.ts";

const read = (settings: Record<string, string>) =>
  cacheSettings(new Settings({ setting: (name) => settings[name] }, new Map()));

test("there is a cache only where the settings ask for one", () => {
  assert.equal(read({}), undefined);
  assert.equal(read({ rbd_cache: "false", rbd_cache_policy: "writeback" }), undefined);
  assert.equal(read({ rbd_cache: "true" })?.policy, "writearound");
  assert.equal(read({ rbd_cache: "1", rbd_cache_policy: "writeback" })?.policy, "writeback");
});

test("an image's own settings are before those of its pool and the client", () => {
  const client = { setting: (name: string) => (name === "rbd_cache" ? "false" : undefined) };
  const pool = new Map([["conf_rbd_cache", "true"]]);
  const image = new Map([["conf_rbd_cache_policy", "writeback"]]);
  assert.equal(cacheSettings(new Settings(client, pool, image))?.policy, "writeback");
  assert.equal(cacheSettings(new Settings(client, pool, new Map([["conf_rbd_cache", "0"]]))), undefined);
});

test("sizes are bytes, or have units", () => {
  const options = read({ rbd_cache: "true", rbd_cache_size: "64M", rbd_cache_max_dirty: "4096" });
  assert.deepEqual([options?.size, options?.maxDirty], [64 * 2 ** 20, 4096]);
});

test("where nothing may be dirty, writes are acknowledged when they last", () => {
  const options = read({ rbd_cache: "true", rbd_cache_policy: "writeback", rbd_cache_max_dirty: "0" });
  assert.equal(options?.policy, "writethrough");
});

test("until the first flush writes are acknowledged when they last, unless the settings say otherwise", () => {
  assert.equal(read({ rbd_cache: "true" })?.writethroughUntilFlush, true);
  const trusting = { rbd_cache: "true", rbd_cache_writethrough_until_flush: "false" };
  assert.equal(read(trusting)?.writethroughUntilFlush, false);
});

test("values that make no sense are passed over, as librbd does", () => {
  const options = read({ rbd_cache: "true", rbd_cache_policy: "writeonly", rbd_cache_size: "large" });
  assert.deepEqual([options?.policy, options?.size], ["writearound", 32 * 2 ** 20]);
});
