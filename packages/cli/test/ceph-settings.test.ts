import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCephOptions, takeSettings } from "@siphon/rados";
import { givenSettings, takeCephSettings, usualOptions } from "../src/ceph-settings.ts";

test("no option that is skipped without loading the settings is a setting", async () => {
  const known = await loadCephOptions();
  const own = ["--keyring", "--mon-host"];
  const others = [...usualOptions].filter((option) => !own.includes(option));
  assert.deepEqual(takeSettings(others, known).rest, others);
});

test("settings are removed from the arguments, and those after injectargs are left to the daemons", async () => {
  const args = ["--rbd-cache=false", "tell", "osd.0", "--connect-timeout", "5", "injectargs", "--debug-ms=0"];
  assert.deepEqual(await takeCephSettings(args), ["tell", "osd.0", "injectargs", "--debug-ms=0"]);
  assert.deepEqual(givenSettings(), { rbd_cache: "false", client_mount_timeout: "5" });
  assert.deepEqual(await takeCephSettings(["ls", "--pool", "p"]), ["ls", "--pool", "p"]);
  assert.deepEqual(givenSettings(), {});
});
