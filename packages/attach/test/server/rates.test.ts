import assert from "node:assert/strict";
import { test } from "node:test";
import { IoMetrics, ioKind } from "../../src/server/io-metrics.ts";
import { RateWatch } from "../../src/server/rates.ts";

test("rates are of the time since they were asked for last", () => {
  const metrics = new IoMetrics();
  metrics.finished(ioKind.read, 16_384, metrics.started(), false);
  const watch = new RateWatch();
  assert.equal(watch.next(metrics).readIops, 0);
  metrics.finished(ioKind.write, 4096, metrics.started(), true);
  const rates = watch.next(metrics);
  assert.ok(rates.writeIops > 0);
  assert.equal(rates.errors, 1);
  assert.ok(rates.p99 > 0);
  assert.equal(watch.next(metrics).writeIops, 0);
});

test("a server that was started anew counts from nothing again", () => {
  const before = new IoMetrics();
  for (let i = 0; i < 10; i++) before.finished(ioKind.read, 512, before.started(), false);
  const watch = new RateWatch();
  watch.next(before);
  const after = new IoMetrics();
  after.finished(ioKind.read, 512, after.started(), false);
  const rates = watch.next(after);
  assert.ok(rates.readIops > 0 && rates.readBandwidth > 0 && rates.p50 > 0);
});
