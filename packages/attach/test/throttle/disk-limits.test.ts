import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDiskLimits, parseDiskLimits } from "../../src/throttle/disk-limits.ts";
import { limitsOf } from "../../src/throttle/image-limits.ts";

test("limits are read as they are written", () => {
  const text = "iops=1000,iops-burst=2000,iops-burst-seconds=10,read-bps=104857600";
  const limits = parseDiskLimits(text);
  assert.deepEqual(limits, {
    iops: { rate: 1000, burst: 2000, burstSeconds: 10 },
    "read-bps": { rate: 100 << 20, burst: 0, burstSeconds: 1 },
  });
  assert.equal(formatDiskLimits(limits), text);
  assert.deepEqual(parseDiskLimits("read-bps=100M"), { "read-bps": limits["read-bps"] });
  assert.deepEqual(parseDiskLimits("iops=0"), { iops: { rate: 0, burst: 0, burstSeconds: 1 } });
});

for (const [text, why] of [
  ["", /is not a limit/],
  ["iops", /iops is not a limit/],
  ["iops=", /is not a limit/],
  ["iops=1k", /iops cannot be 1k/],
  ["iops=-1", /cannot be -1/],
  ["iops=1,iops=2", /given twice/],
  ["tps=1", /there is no limit tps/],
  ["iops-burst=5", /a burst needs a limit/],
  ["iops=10,iops-burst=10", /must exceed iops/],
  ["iops=0,iops-burst=10", /can have no burst/],
  ["iops=10,iops-burst=20,iops-burst-seconds=0", /from 1 to 86400/],
  ["bps=99999999999999999999", /as large as/],
] as const) {
  test(`refused: ${text}`, () => {
    assert.throws(() => parseDiskLimits(text), { code: "SIPHON_USAGE", message: why });
  });
}

test("rbd_qos_* are the limits; a burst not above its limit has no effect", () => {
  const set: Record<string, number> = {
    rbd_qos_iops_limit: 100,
    rbd_qos_iops_burst: 50,
    rbd_qos_write_bps_limit: 1000,
    rbd_qos_write_bps_burst: 3000,
    rbd_qos_write_bps_burst_seconds: 7,
  };
  assert.deepEqual(limitsOf({ number: (name) => set[name] ?? 0 }), {
    iops: { rate: 100, burst: 0, burstSeconds: 1 },
    "write-bps": { rate: 1000, burst: 3000, burstSeconds: 7 },
  });
});
