import assert from "node:assert/strict";
import { test } from "node:test";
import { ImageLoad, type LoadOptions, type LoadTarget } from "../../src/bench/image-load.ts";
import type { ImageRequest } from "../../src/io/image-request.ts";

const load: LoadOptions = { type: "read", size: 4096, depth: 4, pattern: "rand", total: 40 * 4096 };

/** An image that completes requests when it is told to. */
class SlowImage implements LoadTarget {
  readonly size = 2 ** 20;
  readonly waiting: ImageRequest[] = [];
  /** The most requests that it had at once. */
  most = 0;
  onRequest: () => void = () => {};

  read(request: ImageRequest): void {
    this.waiting.push(request);
    this.most = Math.max(this.most, this.waiting.length);
    queueMicrotask(() => this.onRequest());
  }

  write(request: ImageRequest): void {
    this.read(request);
  }

  complete(result = 0): void {
    const request = this.waiting.shift();
    if (request === undefined) return;
    request.result = result;
    request.completed();
  }
}

/** Completes every request at once. */
function quick(): SlowImage {
  const image = new SlowImage();
  image.onRequest = () => image.complete();
  return image;
}

test("a load keeps as many requests in flight as asked for, until all bytes are done", async () => {
  const image = new SlowImage();
  const running = new ImageLoad(image, load).run();
  const all: number[] = [];
  image.onRequest = () => {
    if (image.waiting.length < 4 && all.length < 36) return;
    all.push(image.waiting.length);
    image.complete();
  };
  const { requests, bytes, reads, writes, behind } = await running;
  assert.deepEqual([requests, bytes, reads, writes, behind], [40, 40 * 4096, 40, 0, 0]);
  assert.equal(image.most, 4);
});

test("a request that fails ends the load with the reason", async () => {
  const image = new SlowImage();
  image.onRequest = () => image.complete(-5);
  await assert.rejects(new ImageLoad(image, load).run(), /failed: -5/);
});

for (const arrivals of ["fixed", "poisson"] as const) {
  test(`at a rate the requests take the time that their arrivals need: ${arrivals}`, async () => {
    const { requests, seconds, behind, latency } = await new ImageLoad(quick(), {
      ...load,
      ...{ rate: 400, arrivals, total: 200 * 4096 },
    }).run();
    assert.deepEqual([requests, behind, latency.count], [200, 0, 200]);
    // Arrivals by chance may be close together; those of a fixed distance take at least what lies between them.
    assert.ok(seconds > (arrivals === "fixed" ? 199 / 400 - 0.01 : 0.25), `${seconds} s`);
  });
}

test("the time for which a request waits for its turn is in its latency, and what waits at the end is counted", async () => {
  const image = new SlowImage();
  // The first request is in flight for longer than the load, which began before it, so all others wait behind it.
  image.onRequest = () => setTimeout(() => image.complete(), 400);
  const running = new ImageLoad(image, {
    ...load,
    ...{ rate: 1000, depth: 1, total: undefined, seconds: 0.3 },
  }).run();
  const { requests, behind, latency } = await running;
  assert.equal(requests, 1);
  assert.ok(behind > 250 && behind < 10_000, `${behind} of some 300`);
  assert.equal(latency.count, requests + behind);
  // They arrived evenly, so half of them waited for more than half of the time.
  assert.ok(latency.percentile(50) > 0.1e9, `${latency.percentile(50)} ns`);
  assert.ok(latency.max >= 0.3e9, `${latency.max} ns`);
});

test("an abort ends a load at a rate", async () => {
  const stop = new AbortController();
  const image = quick();
  const running = new ImageLoad(image, { ...load, rate: 10, total: undefined, signal: stop.signal }).run();
  stop.abort(new Error("enough"));
  await assert.rejects(running, /enough/);
});
