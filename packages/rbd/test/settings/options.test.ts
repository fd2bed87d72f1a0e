import assert from "node:assert/strict";
import { test } from "node:test";
import { optionValue, rbdOptions } from "../../src/settings/options.ts";

const value = (name: string, text: string) => optionValue(rbdOptions.get(name)!, text);

test("values are shown as rbd shows them", () => {
  assert.equal(value("rbd_cache", "yes"), "true");
  assert.equal(value("rbd_cache_size", "64M"), "67108864");
  assert.equal(value("rbd_cache_max_dirty_age", "2"), "2.000000");
  assert.equal(value("rbd_cache_policy", "writeback"), "writeback");
  assert.equal(value("rbd_default_features", "layering,exclusive-lock"), "5");
  assert.equal(value("rbd_qos_exclude_ops", "read, compare_and_write"), "17");
});

test("what is no value of an option is none", () => {
  assert.equal(value("rbd_cache", "perhaps"), undefined);
  assert.equal(value("rbd_qos_iops_limit", "-1"), undefined);
  assert.equal(value("rbd_cache_policy", "backwards"), undefined);
  assert.equal(value("rbd_cache_max_dirty_age", ""), undefined);
  assert.equal(value("rbd_qos_exclude_ops", "read,flush"), undefined);
});

test("numbers have units of a thousand, sizes of 1,024, and both their bounds", () => {
  assert.equal(value("rbd_qos_bps_limit", "10M"), "10000000");
  assert.equal(value("rbd_cache_size", "1GiB"), "1073741824");
  assert.equal(value("rbd_concurrent_management_ops", "0"), undefined);
  assert.equal(value("rbd_journal_order", "27"), undefined);
  assert.equal(value("rbd_discard_granularity_bytes", "8192"), "8192");
  for (const wrong of ["2048", "12288", "67108864"]) {
    assert.equal(value("rbd_discard_granularity_bytes", wrong), undefined);
  }
});

test("every default is a value of its option", () => {
  for (const option of rbdOptions.values()) {
    assert.equal(optionValue(option, option.otherwise), option.otherwise, option.name);
  }
});
