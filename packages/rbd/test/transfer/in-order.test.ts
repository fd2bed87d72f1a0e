import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { inOrder, Parallel } from "../../src/transfer/in-order.ts";

const limits = { concurrency: 3, bytes: 100 };

test("results come in the order of the items, however long each takes", async () => {
  const results: number[] = [];
  const work = async (n: number) => {
    await setTimeout((7 * n) % 5);
    return n;
  };
  for await (const n of inOrder(numbers(20), work, () => 0, limits)) results.push(n);
  assert.deepEqual(results, [...numbers(20)]);
});

test("as many are under way as are allowed, and no more, by number and by weight", async () => {
  for (const [weight, most] of [
    [0, 3],
    [45, 2],
    [500, 1],
  ] as const) {
    const count = new Counter();
    for await (const _ of inOrder(
      numbers(10),
      () => count.work(),
      () => weight,
      limits,
    ));
    assert.equal(count.most, most);
  }
});

test("results that are not taken hold the items back", async () => {
  let taken = 0;
  const items = (function* () {
    for (; taken < 100; taken++) yield taken;
  })();
  const results = inOrder(
    items,
    async (n) => n,
    () => 0,
    limits,
  );
  await results.next();
  await setTimeout(5);
  assert.ok(taken <= limits.concurrency, `${taken} items were taken up`);
  await results.return();
});

test("after a failure no more is begun, and what is under way has ended", async () => {
  let underWay = 0;
  let begun = 0;
  const work = async (n: number) => {
    begun++;
    underWay++;
    await setTimeout(n === 2 ? 1 : 10);
    underWay--;
    if (n === 2) throw new Error("broken");
  };
  await assert.rejects(async () => {
    for await (const _ of inOrder(numbers(100), work, () => 0, limits));
  }, /broken/);
  assert.equal(underWay, 0);
  assert.ok(begun < 10);
});

test("parallel work keeps to the limits and tells the first failure", async () => {
  const count = new Counter();
  const parallel = new Parallel(limits);
  for (const _ of numbers(10)) await parallel.start(45, () => count.work());
  await parallel.finish();
  assert.equal(count.most, 2);
  assert.equal(count.done, 10);

  const failing = new Parallel(limits);
  await failing.start(0, () => Promise.reject(new Error("broken")));
  await assert.rejects(failing.finish(), /broken/);
  await assert.rejects(
    failing.start(0, async () => {}),
    /broken/,
  );
});

class Counter {
  underWay = 0;
  most = 0;
  done = 0;

  async work(): Promise<void> {
    this.most = Math.max(this.most, ++this.underWay);
    await setTimeout(1);
    this.underWay--;
    this.done++;
  }
}

function* numbers(count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield n;
}
