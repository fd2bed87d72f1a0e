import assert from "node:assert/strict";
import { test } from "node:test";
import { StallWatch } from "../../src/health/stall-watch.ts";
import { IoMetrics, ioKind } from "../../src/server/io-metrics.ts";

test("a disk whose requests are not answered for 5 s waits, and serves again with the first answer", (t) => {
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const metrics = new IoMetrics();
  const events: [string | undefined, string | undefined][] = [];
  using watch = new StallWatch((_, about) => {
    events.push([about?.event, about?.image]);
  });
  using _ = watch.watch({ name: "pool/disk", metrics });
  const look = (ms: number) => {
    now += ms;
    watch.look();
  };
  look(60_000);
  const started = metrics.started();
  look(1000);
  look(3000);
  assert.equal(metrics.state, "serving");
  look(2000);
  look(60_000);
  assert.equal(metrics.state, "waiting");
  metrics.finished(ioKind.read, 512, started, false);
  look(1000);
  assert.equal(metrics.state, "serving");
  assert.deepEqual(events, [
    ["waiting", "pool/disk"],
    ["answered", "pool/disk"],
  ]);
});

test("a disk that waits for its own limits, or that is paused, does not wait for the cluster", (t) => {
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const metrics = new IoMetrics();
  const events: string[] = [];
  using watch = new StallWatch((line) => void events.push(line));
  using _ = watch.watch({ name: "pool/disk", metrics });
  metrics.started();
  metrics.inLimits = 1;
  now += 20_000;
  watch.look();
  metrics.inLimits = 0;
  metrics.state = "paused";
  now += 20_000;
  watch.look();
  assert.deepEqual(events, []);
});
