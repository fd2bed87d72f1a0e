import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { longestTimer } from "@siphon/wire";
import { resolveSettings } from "../../src/cluster/settings.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-settings-"));
const conf = join(directory, "ceph.conf");
after(() => rmSync(directory, { recursive: true }));

function settingsWith(...lines: string[]) {
  const global = ["mon_host = 192.0.2.1", "auth_client_required = none", ...lines];
  writeFileSync(conf, `[global]\n${global.join("\n")}\n`);
  return resolveSettings({ conf, env: {} });
}

test("limits of time are in seconds", async () => {
  const settings = await settingsWith(
    "client_mount_timeout = 5",
    "rados_mon_op_timeout = 7",
    "rados_osd_op_timeout = 2.5",
  );
  const { connectTimeout, commandTimeout, objecter, pingInterval, pingTimeout } = settings;
  assert.deepEqual([connectTimeout, commandTimeout, objecter.timeout], [5000, 7000, 2500]);
  assert.deepEqual([pingInterval, pingTimeout], [10_000, 30_000]);
});

test("a time may have a unit", async () => {
  assert.equal((await settingsWith("rados_osd_op_timeout = 1m 30s")).objecter.timeout, 90_000);
});

test("a limit of zero is none, as for Ceph's monitor client", async () => {
  const settings = await settingsWith("client_mount_timeout = 0", "mon_client_ping_timeout = 0");
  assert.equal(settings.connectTimeout, longestTimer);
  assert.equal(settings.pingTimeout, longestTimer);
});

test("a limit beyond the longest timer does not end at once", async () => {
  const settings = await settingsWith(
    ...["client_mount_timeout", "rados_mon_op_timeout", "mon_client_ping_interval"].map(
      (name) => `${name} = 10000000`,
    ),
  );
  const { connectTimeout, commandTimeout, pingInterval } = settings;
  assert.deepEqual(
    [connectTimeout, commandTimeout, pingInterval],
    [longestTimer, longestTimer, longestTimer],
  );
});

test("a session's pings have some time between them", async () => {
  assert.equal((await settingsWith("mon_client_ping_interval = 0")).pingInterval, 1000);
});

test("limits of what is in flight may have units, and zero is none", async () => {
  const with200M = await settingsWith("objecter_inflight_op_bytes = 200M");
  assert.deepEqual(with200M.objecter.limits, { ops: 1024, bytes: 200 << 20 });
  const none = await settingsWith("objecter_inflight_op_bytes = 0", "objecter_inflight_ops = 0");
  const { POSITIVE_INFINITY: endless } = Number;
  assert.deepEqual(none.objecter.limits, { ops: endless, bytes: endless });
  const invalid = settingsWith("objecter_inflight_op_bytes = many");
  await assert.rejects(invalid, /objecter_inflight_op_bytes is not a number: many/);
});
