import assert from "node:assert/strict";
import { test } from "node:test";
import { type ArrivalProcess, Arrivals } from "../../src/bench/arrivals.ts";

/** Arrivals until there are so many: their times, and how many were taken by the end of each call. */
async function arrive(many: number, rate: number, process: ArrivalProcess) {
  const times: number[] = [];
  const takenAtCall: number[] = [];
  const done = Promise.withResolvers<void>();
  const arrivals = await Arrivals.start(rate, process, () => take());
  const take = () => {
    const now = performance.now();
    for (let time = arrivals.take(now); time !== undefined; time = arrivals.take(now)) {
      assert.ok(time <= now, "nothing is taken before it arrives");
      times.push(time);
    }
    takenAtCall.push(times.length);
    if (times.length >= many) done.resolve();
  };
  await done.promise;
  await arrivals[Symbol.asyncDispose]();
  return { times, takenAtCall };
}

const gapsOf = (times: readonly number[]) => times.slice(1).map((time, index) => time - times[index]!);

test("no call comes before its arrival: a request would then wait for the next one", async () => {
  const { takenAtCall } = await arrive(20, 100, "fixed");
  assert.ok(
    takenAtCall.every((taken, index) => taken >= index + 1),
    takenAtCall.join(),
  );
});

test("fixed arrivals have one distance, others as many as an exponential distribution has", async () => {
  for (const gap of gapsOf((await arrive(100, 1000, "fixed")).times)) assert.ok(Math.abs(gap - 1) < 1e-3);
  const gaps = gapsOf((await arrive(1000, 5000, "poisson")).times);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  // Six standard errors; and 63 % of all gaps are shorter than the mean.
  assert.ok(Math.abs(mean - 0.2) < (6 * 0.2) / Math.sqrt(gaps.length), `${mean} ms`);
  const shorter = gaps.filter((gap) => gap < mean).length / gaps.length;
  assert.ok(Math.abs(shorter - (1 - Math.exp(-1))) < 6 * Math.sqrt(0.23 / gaps.length), `${shorter}`);
});
