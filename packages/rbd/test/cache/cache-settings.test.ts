import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheSettings } from "../../src/cache/cache-settings.ts";

const read = (settings: Record<string, string>) => cacheSettings({ setting: (name) => settings[name] });

test("there is a cache only where the configuration asks for one", () => {
  assert.equal(read({}), undefined);
  assert.equal(read({ rbd_cache: "false", rbd_cache_policy: "writeback" }), undefined);
  assert.equal(read({ rbd_cache: "true" })?.policy, "writearound");
  assert.equal(read({ rbd_cache: "1", rbd_cache_policy: "writeback" })?.policy, "writeback");
});

test("sizes are bytes, or have units", () => {
  const options = read({ rbd_cache: "true", rbd_cache_size: "64M", rbd_cache_max_dirty: "4096" });
  assert.deepEqual(options, { policy: "writearound", size: 64 * 2 ** 20, maxDirty: 4096 });
});

test("where nothing may be dirty, writes are acknowledged when they last", () => {
  const options = read({ rbd_cache: "true", rbd_cache_policy: "writeback", rbd_cache_max_dirty: "0" });
  assert.equal(options?.policy, "writethrough");
});

test("values that make no sense are refused by name", () => {
  assert.throws(() => read({ rbd_cache: "true", rbd_cache_policy: "writeonly" }), {
    code: "SIPHON_RBD_INVALID",
    message: /rbd_cache_policy.*writeonly/,
  });
  assert.throws(() => read({ rbd_cache: "true", rbd_cache_size: "large" }), /rbd_cache_size/);
});
