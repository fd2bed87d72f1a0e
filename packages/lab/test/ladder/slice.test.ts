import assert from "node:assert/strict";
import { test } from "node:test";
import { sensed } from "../../src/ladder/slice.ts";

test("between two samples: frequency in the middle, the greatest heat, how often slowed down, pages from elsewhere", () => {
  assert.deepEqual(
    sensed(
      { mhz: 2000, celsius: 70, throttled: 5, pages: { local: 100, remote: 10 } },
      { mhz: 3000, celsius: 60, throttled: 7, pages: { local: 160, remote: 30 } },
    ),
    { mhz: 2500, celsius: 70, throttled: 2, remote: 0.25 },
  );
});

test("what one of them lacks is missing; nothing new is no share of nothing", () => {
  assert.deepEqual(sensed({ mhz: 2000 }, {}), {});
  const pages = { local: 1, remote: 1 };
  assert.deepEqual(sensed({ pages }, { pages }), { remote: 0 });
});
