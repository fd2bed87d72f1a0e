import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCephOptions, takeSettings } from "../../src/config/flags.ts";

const known = await loadCephOptions();
const take = (...args: string[]) => {
  const { settings, rest } = takeSettings(args, known);
  return [Object.fromEntries(settings), rest];
};

test("settings that Ceph knows are taken in every form, and nothing else is", () => {
  assert.deepEqual(take("--rbd-default-data-pool", "fast", "ls", "--rbd_cache_size=1M", "-p", "images"), [
    { rbd_default_data_pool: "fast", rbd_cache_size: "1M" },
    ["ls", "-p", "images"],
  ]);
  assert.deepEqual(take("--debug-ms", "0", "--debug_rbd=20", "--log-file", "/dev/null"), [
    { debug_ms: "0", debug_rbd: "20", log_file: "/dev/null" },
    [],
  ]);
  assert.deepEqual(take("--format", "json", "--no-progress", "--rbd-nonsense", "x"), [
    {},
    ["--format", "json", "--no-progress", "--rbd-nonsense", "x"],
  ]);
});

test("flags have a value, none, or are negated", () => {
  assert.deepEqual(take("--log-to-stderr", "info", "--rbd_cache=false"), [
    { log_to_stderr: "true", rbd_cache: "false" },
    ["info"],
  ]);
  assert.deepEqual(take("--log-to-stderr", "false", "--no-rbd-cache", "--no-mon-config"), [
    { log_to_stderr: "false", rbd_cache: "false", no_mon_config: "true" },
    [],
  ]);
  assert.deepEqual(take("--no-rbd-default-pool"), [{}, ["--no-rbd-default-pool"]]);
});

test("a value may begin with a dash; one that is missing is an error, and what follows -- is left alone", () => {
  assert.deepEqual(take("--debug-ms", "-1"), [{ debug_ms: "-1" }, []]);
  assert.throws(() => take("--rbd-default-pool"), /--rbd-default-pool requires an argument/);
  assert.deepEqual(take("--", "--rbd-cache", "x"), [{}, ["--", "--rbd-cache", "x"]]);
});
