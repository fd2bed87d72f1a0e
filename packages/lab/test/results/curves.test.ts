import assert from "node:assert/strict";
import { test } from "node:test";
import { curvesOf } from "../../src/results/curves.ts";
import { seededRandom } from "../../src/statistics/random.ts";
import { pointsOf } from "../fixtures/curves.ts";

const knee = (...repeats: ReturnType<typeof pointsOf>[]) =>
  curvesOf(repeats.map((points) => ({ points })))?.[0]?.knee;

test("the knee is where IOPS stop growing with the depth", () => {
  // One request takes 1 ms, and 16,000 IOPS are carried: 16 of them keep it busy.
  assert.deepEqual(knee(pointsOf(1000, 16_000)), { depth: 16, repeats: 1, of: 1 });
  assert.deepEqual(knee(pointsOf(250, 16_000)), { depth: 4, repeats: 1, of: 1 });
  // As an IDE disk, which takes one at a time.
  assert.deepEqual(knee(pointsOf(500, 2_000)), { depth: 1, repeats: 1, of: 1 });
});

test("noise of a few percent does not move the knee", () => {
  const random = seededRandom(3);
  const noise = () => 0.93 + 0.14 * random();
  const repeats = Array.from({ length: 9 }, () => pointsOf(1000, 16_000, { noise }));
  assert.equal(knee(...repeats)?.depth, 16);
});

test("repeats vote on the knee, and how many agreed is said", () => {
  const [usual, other] = [pointsOf(1000, 16_000), pointsOf(250, 16_000)];
  assert.deepEqual(knee(usual, other, usual), { depth: 16, repeats: 2, of: 3 });
});

test("where points on both sides are missing there is no knee", () => {
  assert.equal(knee(pointsOf(1000, 1e9)), undefined, "IOPS grow on to the last depth");
  assert.equal(knee(pointsOf(1000, 2_000, { depths: [16, 64, 128] })), undefined, "it lies below the first");
  assert.equal(knee(pointsOf(1000, 16_000, { depths: [16, 128] })), undefined, "two points are no curve");
});

test("a point has medians and intervals over the repeats, and CPU per I/O", () => {
  const repeats = [0.9, 1, 1.1].map((factor) => ({
    points: pointsOf(1000, 16_000, { noise: () => factor }),
  }));
  const [curve] = curvesOf(repeats)!;
  const point = curve!.points.find(({ depth }) => depth === 64)!;
  assert.equal(Math.round(point.iops.median), 16_000);
  assert.ok(point.iops.low < 16_000 && point.iops.high > 16_000);
  assert.equal(Math.round(point.clientCpuPerIo.median), 80);
  assert.equal(Math.round(point.osdCpuPerIo!.median), 40);
  assert.equal(Math.round(point.latencyMean.median), 4_000);
});

test("mixes are curves of their own; runs without points have none", () => {
  const both = [...pointsOf(1000, 16_000), ...pointsOf(1000, 8_000, { mix: "70/30" })];
  assert.deepEqual(
    curvesOf([{ points: both }])?.map(({ mix, points }) => [mix, points.length]),
    [
      ["read", 5],
      ["70/30", 5],
    ],
  );
  assert.equal(curvesOf([{}]), undefined);
});

test("a repeat that ended within a curve counts where it has points, and has no vote", () => {
  const whole = pointsOf(1000, 16_000);
  const [curve] = curvesOf([{ points: whole }, { points: whole.slice(0, 2) }, {}])!;
  assert.equal(curve!.knee?.of, 1);
  assert.equal(curve!.points.length, 5);
});
