import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sharedBucketMemory, sharedBuckets } from "../../src/throttle/shared-buckets.ts";
import { LimitBuckets } from "../../src/throttle/token-bucket.ts";

/** The amount that passes within this many milliseconds, of a demand that never ends. */
function passed(buckets: LimitBuckets, from: number, to: number, cost: number): number {
  let total = 0;
  for (let now = from; now < to; ) {
    const wait = buckets.wait(now);
    if (wait > 0) now += wait;
    else {
      buckets.take(cost);
      total += cost;
    }
  }
  return total;
}

test("a limit holds for requests of any size, from the first second on", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.integer({ min: 1, max: 5_000_000 }),
      (rate, cost) => {
        const buckets = new LimitBuckets();
        buckets.set({ rate, burst: 0, burstSeconds: 1 }, 0);
        const seconds = Math.max(10, Math.ceil((10 * cost) / rate));
        const total = passed(buckets, 0, seconds * 1000, Math.max(cost, rate / 1000));
        const most = rate * (seconds + 0.1) + Math.max(cost, rate / 1000);
        assert.ok(total <= most * 1.0001, `${total} of ${rate} a second in ${seconds} s`);
        assert.ok(total >= rate * seconds * 0.999, `${total} of ${rate} a second in ${seconds} s`);
      },
    ),
    { numRuns: 50 },
  );
});

test("a burst has its rate for as long as it may, then the limit holds, and after a rest there is one again", () => {
  const buckets = new LimitBuckets();
  buckets.set({ rate: 100, burst: 1000, burstSeconds: 5 }, 0);
  const first = passed(buckets, 0, 1000, 1);
  assert.ok(first >= 1000 && first <= 1101, String(first));
  const later = passed(buckets, 1000, 6000, 1);
  assert.ok(first + later <= 5000 + 600 + 1, String(first + later));
  const long = passed(buckets, 10_000, 20_000, 1);
  assert.ok(long <= 1000 + 401, String(long));
  const rested = passed(buckets, 100_000, 101_000, 1);
  assert.ok(rested >= 1000 && rested <= 1101, String(rested));
});

test("a changed limit applies at once, and used tokens stay used", () => {
  const buckets = new LimitBuckets();
  assert.equal(buckets.wait(0), 0);
  buckets.set({ rate: 10, burst: 0, burstSeconds: 1 }, 0);
  buckets.take(10);
  const wait = buckets.wait(0);
  assert.ok(wait > 800 && wait <= 1000, String(wait));
  buckets.set({ rate: 100, burst: 0, burstSeconds: 1 }, 0);
  assert.ok(buckets.wait(0) < 100);
  buckets.set(undefined, 0);
  assert.equal(buckets.wait(0), 0);
});

test("what one thread uses of a shared limit the others do not get", () => {
  const memory = sharedBucketMemory();
  const [one, other] = [sharedBuckets(memory)[0]!, sharedBuckets(memory)[0]!];
  for (const each of [one, other]) each.set({ rate: 1000, burst: 0, burstSeconds: 1 }, 0);
  // A tenth of a second's may come at once.
  for (let taken = 0; taken < 50; taken++) {
    for (const each of [one, other]) {
      assert.equal(each.wait(0), 0);
      each.take(1);
    }
  }
  assert.ok(one.wait(0) > 0 && other.wait(0) > 0);
  // A thread whose clock was read a little earlier takes nothing back.
  assert.equal(one.wait(10), 0);
  assert.equal(other.wait(9), 0);
  one.take(10);
  assert.ok(other.wait(9.5) > 0);
  for (const each of [one, other]) each.set(undefined, 20);
  for (const each of [one, other]) assert.ok(each.isOpen);
});
