import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockSchedule } from "../../src/ladder/block-schedule.ts";
import type { Results } from "../../src/results/schema.ts";
import type { PlannedClimb } from "../../src/rungs/plan.ts";
import { exampleResults } from "../fixtures/results.ts";

const rungs = ["ide", "virtio-blk", "iothread"].map((name) => ({ rung: { name } }) as PlannedClimb);
const names = (some: PlannedClimb[]) => some.map(({ rung }) => rung.name);

const asked = { inTime: false, until: undefined, time: 600, bigger: true };

/** A record in which each rung's ratio to the one before is known so well. */
function record(reaches: Record<string, number>, hopeless: string[] = []) {
  const results = exampleResults();
  const known = results.rungs.flatMap((rung) => {
    if (rung.status !== "measured" || !names(rungs).includes(rung.name)) return [];
    const reach = 1 + (reaches[rung.name] ?? 0);
    const ratio = { median: 1, low: 1 / reach, high: reach };
    const verdict = "no significant difference" as const;
    const comparison = rung.comparison && {
      ...rung.comparison,
      ...{ ratio, verdict, costs: { cpuPerIo: { ratio, verdict } } },
    };
    return [{ ...rung, comparison }];
  });
  return {
    isHopeless: (name: string) => hopeless.includes(name),
    results: (): Results => ({ ...results, rungs: known }),
  };
}

test("the given number of blocks of all rungs, except those that failed at once", () => {
  const schedule = new BlockSchedule({ ...asked, repeat: 2 });
  const known = record({}, ["iothread"]);
  assert.deepEqual(names(schedule.next(rungs, known)), ["ide", "virtio-blk"]);
  assert.equal(schedule.inWords, "block 1 of 2");
  assert.equal(schedule.next(rungs, known).length, 2);
  assert.deepEqual(schedule.next(rungs, known), []);
});

test("three blocks of all; then what is not sharp at two looks, with what it is held against", () => {
  const schedule = new BlockSchedule({ ...asked, repeat: 1, until: 0.05 });
  const blunt = record({ "virtio-blk": 0.02, iothread: 0.06 });
  for (let block = 0; block < 4; block++) assert.equal(schedule.next(rungs, blunt).length, 3);
  assert.deepEqual(names(schedule.next(rungs, blunt)), ["virtio-blk", "iothread"]);
  const sharp = record({ "virtio-blk": 0.02, iothread: 0.04 });
  assert.deepEqual(names(schedule.next(rungs, sharp)), ["virtio-blk", "iothread"]);
  assert.deepEqual(schedule.next(rungs, sharp), []);
});

test("no block is begun that would not be over in time, but three are always made", () => {
  let now = 0;
  const schedule = new BlockSchedule({ ...asked, repeat: 1, until: 0.05, time: 400 }, () => now);
  const blunt = record({ "virtio-blk": 1 });
  for (let block = 0; block < 3; block++) {
    assert.ok(schedule.next(rungs, blunt).length > 0);
    now += 90_000;
  }
  assert.ok(schedule.next(rungs, blunt).length > 0);
  now += 90_000;
  assert.deepEqual(schedule.next(rungs, blunt), [], "a fifth would end after 450 s");
});

test("a number of blocks that nobody asked for ends in time, with what comes after them; an asked one is kept", () => {
  const blocksOf = (options: { inTime: boolean; bigger: boolean }, seconds: number) => {
    let now = 0;
    const schedule = new BlockSchedule({ ...asked, repeat: 7, ...options }, () => now);
    let blocks = 0;
    for (; schedule.next(rungs, record({})).length > 0; blocks++) now += seconds * 1000;
    return blocks;
  };
  const [limited, free] = [
    { inTime: true, bigger: true },
    { inTime: false, bigger: true },
  ];
  assert.deepEqual(
    [70, 80, 100, 300].map((each) => blocksOf(limited, each)),
    [7, 6, 5, 3],
  );
  assert.equal(blocksOf({ ...limited, bigger: false }, 80), 7);
  assert.equal(blocksOf(free, 300), 7);
});
