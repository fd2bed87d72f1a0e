import assert from "node:assert/strict";
import { test } from "node:test";
import * as crush from "../../src/crush/map.ts";
import { CrushMapper } from "../../src/crush/mapper.ts";

const none = crush.ITEM_NONE;

/**
 * What the mapper of Ceph 20.2.4 gives for `choosemsr 2 host, choosemsr 2 osd` and three positions (N: none), for
 * inputs from 0 up; two hosts of two OSDs each, of which those in the set are out.
 */
const expected: [out: number[], placements: string][] = [
  [[0, 2], "3N1 N13 1N3 3N1 13N 31N 13N 1N3 13N 13N N13 3N1 N13 N13 N31 3N1 1N3 1N3 3N1 1N3 3N1 N13 3N1 1N3"],
  [[1, 2], "3N0 0N3 0N3 3N0 30N 3N0 3N0 N03 30N 30N 0N3 3N0 0N3 0N3 N30 30N N03 N03 3N0 3N0 3N0 0N3 3N0 0N3"],
  [
    [0, 1, 2],
    "3NN NN3 NN3 3NN 3NN 3NN 3NN NN3 N3N 3NN NN3 3NN NN3 NN3 N3N 3NN NN3 NN3 3NN NN3 3NN NN3 3NN NN3",
  ],
  [[3], "2N0 012 102 2N0 102 N20 102 102 102 102 012 N20 012 012 2N1 N21 102 102 N21 2N0 2N1 012 N21 012"],
  [[0, 3], "2N1 21N 12N 2N1 1N2 N21 1N2 1N2 1N2 1N2 N12 N21 N12 N12 2N1 N21 1N2 1N2 N21 2N1 2N1 21N N21 12N"],
  [[1, 3], "2N0 0N2 2N0 2N0 N02 N20 0N2 N02 N02 N02 0N2 N20 0N2 0N2 2N0 02N N02 N02 N20 2N0 2N0 0N2 N20 02N"],
];

test("positions are those of Ceph 20 whichever OSDs are out", () => {
  const mapper = new CrushMapper(twoHosts(crush.RULE_TYPE_MSR_INDEP, hostsThenOsds));
  for (const [out, placements] of expected) {
    const ours = placements.split(" ").map((_, x) => placed(mapper, x, out));
    assert.equal(
      ours.map((osds) => osds.map((osd) => (osd === none ? "N" : osd)).join("")).join(" "),
      placements,
    );
  }
});

test("a rule for replicas gives the same OSDs in the order they are found, without gaps", () => {
  const fixed = new CrushMapper(twoHosts(crush.RULE_TYPE_MSR_INDEP, hostsThenOsds));
  const ordered = new CrushMapper(twoHosts(crush.RULE_TYPE_MSR_FIRSTN, hostsThenOsds));
  for (let x = 0; x < 200; x++) {
    const osds = placed(ordered, x, [3]);
    assert.ok(!osds.includes(none));
    assert.deepEqual(
      [...osds].sort(),
      placed(fixed, x, [3])
        .filter((osd) => osd !== none)
        .sort(),
    );
  }
});

test("an OSD that goes out is replaced on its own host or another, where there is room", () => {
  const mapper = new CrushMapper(
    twoHosts(crush.RULE_TYPE_MSR_INDEP, [
      [1, 1],
      [1, 0],
    ]),
  );
  for (let x = 0; x < 200; x++) {
    const [before] = placed(mapper, x, []);
    const [after] = placed(mapper, x, [before!]);
    assert.notEqual(after, none);
    assert.notEqual(after, before);
  }
});

test("a rule that is not of take, choosemsr and emit places nothing", () => {
  const map = twoHosts(crush.RULE_TYPE_MSR_INDEP, []);
  for (const steps of [
    [[crush.STEP_EMIT, 0, 0]],
    [
      [crush.STEP_TAKE, -1, 0],
      [crush.STEP_CHOOSE_MSR, 2, 0],
    ],
    [
      [crush.STEP_TAKE, -1, 0],
      [crush.STEP_CHOOSE_FIRSTN, 2, 0],
      [crush.STEP_EMIT, 0, 0],
    ],
    [
      [crush.STEP_TAKE, 0, 0],
      [crush.STEP_CHOOSE_MSR, 1, 0],
      [crush.STEP_EMIT, 0, 0],
    ],
    [
      [crush.STEP_TAKE, -1, 0],
      [crush.STEP_CHOOSE_MSR, -1, 0],
      [crush.STEP_EMIT, 0, 0],
    ],
    [
      [crush.STEP_TAKE, -1, 0],
      [crush.STEP_CHOOSE_MSR, 2 ** 30, 1],
      [crush.STEP_CHOOSE_MSR, 4, 0],
      [crush.STEP_EMIT, 0, 0],
    ],
  ] as [number, number, number][][]) {
    const rule = { ...map.rules[0]!, steps: steps.map(([op, arg1, arg2]) => ({ op, arg1, arg2 })) };
    assert.deepEqual(placed(new CrushMapper({ ...map, rules: [rule] }), 0, []), []);
  }
});

const hostsThenOsds: [number, number][] = [
  [2, 1],
  [2, 0],
];

function placed(mapper: CrushMapper, x: number, outOsds: readonly number[]): number[] {
  const weights = Uint32Array.from([0, 1, 2, 3], (osd) => (outOsds.includes(osd) ? 0 : 0x10000));
  const out = new Int32Array(3);
  return [...out.subarray(0, mapper.place(0, x, 3, weights, 0, out))];
}

function twoHosts(type: number, choices: readonly [count: number, type: number][]): crush.CrushMap {
  const bucket = (id: number, bucketType: number, items: number[], weight: number): crush.CrushBucket => ({
    ...{ id, type: bucketType, algorithm: crush.BUCKET_STRAW2, weight: 2 * weight, size: items.length },
    ...{ items: Int32Array.from(items), weights: new Uint32Array(items.length).fill(weight) },
    extra: new Uint32Array(0),
  });
  return {
    buckets: [
      bucket(-1, 2, [-2, -3], 0x20000),
      bucket(-2, 1, [0, 1], 0x10000),
      bucket(-3, 1, [2, 3], 0x10000),
    ],
    rules: [
      {
        ...{ type, ruleset: 0, leastSize: 1, greatestSize: 10 },
        steps: [
          { op: crush.STEP_TAKE, arg1: -1, arg2: 0 },
          ...choices.map(([arg1, arg2]) => ({ op: crush.STEP_CHOOSE_MSR, arg1, arg2 })),
          { op: crush.STEP_EMIT, arg1: 0, arg2: 0 },
        ],
      },
    ],
    maxDevices: 4,
    tunables: {
      ...{ chooseLocalTries: 0, chooseLocalFallbackTries: 0, chooseTotalTries: 50 },
      ...{ chooseleafDescendOnce: true, chooseleafVaryR: 1, chooseleafStable: true },
      ...{ msrDescents: 100, msrCollisionTries: 100 },
    },
    chooseArgs: new Map(),
    names: { types: new Map(), items: new Map(), rules: new Map(), deviceClasses: new Map() },
  };
}
