import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type LoadSecond, runLoad } from "../../../src/objects/bench/load.ts";

test("never more operations in flight than the limit, each number once", async () => {
  const seen: number[] = [];
  let underWay = 0;
  let most = 0;
  const operate = async (index: number) => {
    seen.push(index);
    most = Math.max(most, ++underWay);
    await sleep(1);
    underWay--;
  };
  const result = await runLoad(operate, { seconds: 60, concurrency: 3, limit: 20, opBytes: 2 ** 20 });
  assert.deepEqual(
    seen,
    Array.from({ length: 20 }, (_, i) => i),
  );
  assert.equal(most, 3);
  assert.equal(result.finished, 20);
  assert.ok(Math.abs(result.bandwidth.average - 20 / result.seconds) < 1e-9);
  const { min, average, max } = result.latency;
  assert.ok(min > 0 && min <= average && average <= max);
});

test("seconds are told from the first moment on, and add up", async () => {
  const told: LoadSecond[] = [];
  const onSecond = (now: LoadSecond) => told.push(now);
  const result = await runLoad(() => sleep(5), { seconds: 1.5, concurrency: 2, opBytes: 1, onSecond });
  assert.deepEqual(
    { ...told[0], averageLatency: 0 },
    {
      ...{ second: 0, inFlight: 2, started: 2, finished: 0, averageBandwidth: 0, bandwidth: 0 },
      ...{ lastLatency: undefined, averageLatency: 0 },
    },
  );
  const last = told.at(-1)!;
  assert.ok(told.length >= 2 && last.finished > 0 && last.finished <= result.finished);
  assert.ok(last.lastLatency! > 0);
});

test("an operation that fails ends the load, once those under way have ended", async () => {
  let underWay = 0;
  const operate = async (index: number) => {
    underWay++;
    await sleep(index === 3 ? 1 : 10);
    underWay--;
    if (index === 3) throw new Error("number three");
  };
  await assert.rejects(runLoad(operate, { seconds: 60, concurrency: 4, opBytes: 1 }), /number three/);
  assert.equal(underWay, 0);
});

test("an abort ends the load", async () => {
  const abort = new AbortController();
  const load = runLoad(() => sleep(1), {
    ...{ seconds: 60, concurrency: 2, opBytes: 1, signal: abort.signal },
  });
  abort.abort(new Error("changed my mind"));
  await assert.rejects(load, /changed my mind/);
});
