import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../../src/errors.ts";
import { GuestClock, tscKhz } from "../../src/vm/clock.ts";

test("the rate of the TSC is read from a kernel's log, the refined one if there is one", () => {
  const detected = "[    0.000000] tsc: Detected 2596.132 MHz processor\n";
  const refined = "[    1.500000] tsc: Refined TSC clocksource calibration: 2593.906 MHz\n";
  const both =
    "[    0.000000] tsc: Detected 2600.000 MHz processor\n[    0.1] tsc: Detected 2592.000 MHz TSC\n";
  assert.equal(tscKhz(detected), 2596132);
  assert.equal(tscKhz(detected + refined), 2593906);
  assert.equal(tscKhz(both), 2592000);
  assert.equal(tscKhz("[ 100.0] eth0: link up\n"), undefined);
});

/** A guest whose clock runs `rate` times as fast as ours. */
const guest = (rate: number) => ({
  run: async () => ({ exitCode: 0, stdout: `${(performance.now() / 1000) * rate} 1.0\n`, stderr: "" }),
});

test("a guest's clock that keeps up passes, one that races or drags does not", async () => {
  const clocks = await Promise.all([1, 1.02, 7, 0.5].map((rate) => GuestClock.start(guest(rate))));
  await sleep(50);
  await clocks[0].check();
  await clocks[1].check();
  for (const clock of clocks.slice(2)) {
    await assert.rejects(
      clock.check(),
      (error) => error instanceof LabError && error.retryable && /times the host's/.test(error.message),
    );
  }
});
