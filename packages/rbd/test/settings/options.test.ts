import assert from "node:assert/strict";
import { test } from "node:test";
import { optionValue, rbdOptions } from "../../src/settings/options.ts";

const value = (name: string, text: string) => optionValue(rbdOptions.get(name)!, text);

test("values are shown as rbd shows them", () => {
  assert.equal(value("rbd_cache", "yes"), "true");
  assert.equal(value("rbd_cache_size", "64M"), "67108864");
  assert.equal(value("rbd_cache_max_dirty_age", "2"), "2.000000");
  assert.equal(value("rbd_cache_policy", "writeback"), "writeback");
});

test("what is no value of an option is none", () => {
  assert.equal(value("rbd_cache", "perhaps"), undefined);
  assert.equal(value("rbd_qos_iops_limit", "-1"), undefined);
  assert.equal(value("rbd_cache_policy", "backwards"), undefined);
  assert.equal(value("rbd_cache_max_dirty_age", ""), undefined);
});

test("every default is a value of its option", () => {
  for (const option of rbdOptions.values()) {
    // Features are a number, or their names.
    if (option.type === "str") continue;
    assert.equal(optionValue(option, option.otherwise), option.otherwise, option.name);
  }
});
