import assert from "node:assert/strict";
import { test } from "node:test";
import { Tally } from "../../src/profile/tally.ts";

test("equal stacks of one thread name are counted together, of another apart", () => {
  const tally = new Tally();
  tally.add("worker", ["main", "read"], 1, 1);
  tally.add("worker", ["main", "read"], 2, 0);
  tally.add("worker", ["main", "write"], 1, 0);
  tally.add("timer", ["main", "read"], 5, 0);
  const [worker, timer] = tally.groups();
  assert.deepEqual(worker, {
    name: "worker",
    samples: 4,
    running: 1,
    stacks: [
      { frames: ["main", "read"], samples: 3, running: 1 },
      { frames: ["main", "write"], samples: 1, running: 0 },
    ],
  });
  assert.equal(timer.samples, 5);
});

test("the group that ran most comes first", () => {
  const tally = new Tally();
  tally.add("idle", ["wait"], 100, 0);
  tally.add("busy", ["work"], 10, 9);
  assert.deepEqual(
    tally.groups().map(({ name }) => name),
    ["busy", "idle"],
  );
});
