import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTimes, hostTimesIn } from "../../src/host/load.ts";

test("what processors did is told apart from idling, waiting and what other machines got", () => {
  const text = "cpu  100 20 30 4000 500 6 7 80 90 1\ncpu0 1 2 3\ncpu1 4 5 6\nintr 1\n";
  assert.deepEqual(hostTimesIn(text), { busy: 1.63, stolen: 0.8, processors: 2 });
});

test("this host gets busier while this process works", () => {
  const before = hostTimes();
  const own = process.cpuUsage();
  while (process.cpuUsage(own).user < 200_000);
  // The kernel counts in ticks of 10 ms.
  assert.ok(hostTimes().busy - before.busy >= 0.15);
});
