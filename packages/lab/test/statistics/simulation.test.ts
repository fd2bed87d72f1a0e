import assert from "node:assert/strict";
import { test } from "node:test";
import { findRatios } from "../../src/statistics/blocks.ts";
import { seededRandom } from "../../src/statistics/random.ts";
import { blockRatio, type Slice, slopesOf } from "../../src/statistics/slices.ts";

/** What a simulated ladder is like; all but counts are shares of a figure. */
interface World {
  rungs: number;
  blocks: number;
  rounds: number;
  /** What each rung brings over the one before. */
  effect: (rung: number) => number;
  /** How much a rung differs from boot to boot. */
  boots: (rung: number) => number;
  /** How much slices of one boot differ. */
  noise: number;
  /** How far the machine's speed strays from one slice to the next, and how evenly it falls through a block. */
  stray: number;
  fall: number;
  /** How many slices something hits that halves their figure. */
  outliers: number;
  /** How often a hypervisor moves the processors apart or together again, and what a figure loses meanwhile; not all rungs lose the same. */
  moves: number;
  apart: (rung: number) => number;
  /** Without knowing the machine's condition beside the slices. */
  isBlind?: true;
}

const ladder: World = {
  ...{ rungs: 16, blocks: 5, rounds: 5 },
  effect: (rung) => [0, 0.3, -0.1, 0.05][rung % 4],
  // From a rung that is nearly the same after every boot to one that is not.
  boots: (rung) => 0.02 + 0.04 * ((rung * 7) % 16) * (1 / 16),
  ...{ noise: 0.05, stray: 0.02, fall: 0.3, outliers: 0.03, moves: 0.1 },
  apart: (rung) => 0.1 + 0.1 * ((rung * 5) % 16) * (1 / 16),
};

const runs = 300;

/** Simulates a ladder's runs and asks what is found of each rung against the one before. */
function simulate(world: World, seed: number) {
  const random = seededRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const { rungs, blocks, rounds, effect, boots, noise, stray, fall, outliers, moves, apart, isBlind } = world;
  const levels: number[] = [8];
  for (let rung = 1; rung < rungs; rung++) levels[rung] = levels[rung - 1] + Math.log1p(effect(rung));
  const order = [...levels.keys()];
  const measured = Array.from({ length: blocks }, () => {
    const booted = levels.map((level, rung) => level + boots(rung) * normal());
    const slices: Slice[][] = levels.map(() => []);
    let weather = 0.1 * normal();
    let isApart = random() < 0.5;
    for (let round = 0; round < rounds; round++) {
      for (const way of [0, 1] as const) {
        for (const rung of way === 0 ? order : order.toReversed()) {
          weather += stray * normal() - fall / (rounds * rungs * 2);
          const hit = random() < outliers ? Math.log(0.5) : 0;
          const wasApart = isApart;
          if (random() < moves) isApart = !isApart;
          // A processor that was moved during a slice was there for half of it.
          const share = (Number(wasApart) + Number(isApart)) / 2;
          const figure = Math.exp(
            booted[rung] + weather + share * Math.log1p(-apart(rung)) + noise * normal() + hit,
          );
          const calibration = Math.exp(-weather + 0.01 * normal());
          const distance = 75 * 5 ** share * Math.exp(0.02 * normal());
          slices[rung].push({ round, way, figure, ...(!isBlind && { machine: [calibration, distance] }) });
        }
      }
    }
    return slices;
  });
  const comparisons = order
    .slice(1)
    .flatMap((rung) => measured.map((slices) => ({ before: slices[rung - 1], after: slices[rung] })));
  const slopes = slopesOf(comparisons);
  const found = findRatios(
    order
      .slice(1)
      .map((rung) => measured.map((slices) => blockRatio(slices[rung - 1], slices[rung], slopes)!)),
  );
  // The processors are apart half of the time.
  const loses = (rung: number) => Math.sqrt(1 - apart(rung));
  return found.map((each, index) => ({
    ...each!,
    truth: (1 + effect(index + 1)) * (loses(index + 1) / loses(index)),
  }));
}

for (const [name, world] of Object.entries({
  "five blocks": ladder,
  "three blocks": { ...ladder, blocks: 3 },
  "three rungs": { ...ladder, rungs: 3 },
  "seven blocks of three rounds": { ...ladder, blocks: 7, rounds: 3 },
  "wild slices and a wild machine": { ...ladder, outliers: 0.08, stray: 0.05, fall: 1, moves: 0.3 },
  "a machine of which nothing is known": { ...ladder, isBlind: true },
} satisfies Record<string, World>)) {
  test(`95 % intervals hold the truth in 93 to 97 % of all cases: ${name}`, () => {
    const all = Array.from({ length: runs }, (_, seed) => simulate(world, seed + 1)).flat();
    const held = all.filter(({ ratio, truth }) => ratio.low <= truth && truth <= ratio.high).length;
    const share = held / all.length;
    assert.ok(share >= 0.93 && share <= 0.97, `${(share * 100).toFixed(1)} % of ${all.length}`);
  });
}

test("where no rung differs, a run with any verdict at all is at most 1 in 20", () => {
  const same = { ...ladder, effect: () => 0, apart: () => 0.15 };
  const wrong = Array.from({ length: runs }, (_, seed) =>
    simulate(same, seed + 1000).some(({ probability }) => probability <= 0.05),
  ).filter(Boolean).length;
  // The twentieth, and twice what chance adds to it in this many runs.
  assert.ok(wrong / runs <= 0.05 + 2 * Math.sqrt((0.05 * 0.95) / runs), `${wrong} of ${runs}`);
});

test("a difference of a seventh is nearly always found, however many comparisons are made", () => {
  const effect = (rung: number) => (rung % 2 === 1 ? 0.15 : 0);
  const steps = { ...ladder, effect, boots: () => 0.02, apart: () => 0.15 };
  const all = Array.from({ length: 50 }, (_, seed) => simulate(steps, seed + 2000)).flat();
  const there = all.filter(({ truth }) => truth > 1);
  const found = there.filter(({ probability }) => probability <= 0.05).length;
  assert.ok(found / there.length > 0.9, `${found} of ${there.length}`);
});

for (const [what, wild] of Object.entries({
  "the processor's speed, seen in a fixed piece of work,": { stray: 0.1, moves: 0 },
  "the processors' distance, seen in how long a word takes,": { stray: 0, fall: 0, moves: 0.2 },
} satisfies Record<string, Partial<World>>)) {
  test(`${what} makes intervals narrower`, () => {
    const world = { ...ladder, noise: 0.02, boots: () => 0.01, apart: () => 0.2, ...wild };
    const width = (world: World) =>
      Array.from({ length: 30 }, (_, seed) => simulate(world, seed))
        .flat()
        .reduce((sum, { ratio }) => sum + Math.log(ratio.high / ratio.low), 0);
    const ratio = width(world) / width({ ...world, isBlind: true });
    assert.ok(ratio < 0.8, `${ratio}`);
  });
}

test("intervals hold the truth as often where each is made sharp, block by block, and then left", () => {
  const reach = 0.05;
  const random = seededRandom(11);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const deviations = Array.from({ length: 15 }, (_, rung) => 1.4 * ladder.boots(rung));
  let [held, all] = [0, 0];
  for (let run = 0; run < runs; run++) {
    const blocks: number[][] = deviations.map(() => []);
    const sharp = deviations.map(() => 0);
    for (let block = 0; sharp.some((looks) => looks < 2); block++) {
      for (const [index, deviation] of deviations.entries()) {
        if (sharp[index] < 2) blocks[index].push(deviation * normal());
      }
      if (block < 2) continue;
      for (const [index, found] of findRatios(blocks).entries()) {
        sharp[index] = Math.sqrt(found!.ratio.high / found!.ratio.low) - 1 <= reach ? sharp[index] + 1 : 0;
      }
    }
    const found = findRatios(blocks);
    held += found.filter((each) => each!.ratio.low <= 1 && 1 <= each!.ratio.high).length;
    all += found.length;
  }
  assert.ok(held / all >= 0.93 && held / all <= 0.97, `${held} of ${all}`);
});
