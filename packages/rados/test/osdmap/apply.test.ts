import assert from "node:assert/strict";
import { test } from "node:test";
import { RadosError } from "../../src/errors.ts";
import { applyIncremental } from "../../src/osdmap/apply.ts";
import { decodeOsdMap } from "../../src/osdmap/decode.ts";
import { decodeIncremental } from "../../src/osdmap/incremental.ts";
import type { OsdMapState } from "../../src/osdmap/state.ts";
import { osdMapVectors } from "../vectors/osdmaps.ts";

const { fulls, incrementals } = osdMapVectors();

test("each real incremental, applied, gives the next real map", () => {
  let map = decodeOsdMap(fulls.get(1)!);
  for (let epoch = 2; epoch <= fulls.size; epoch++) {
    map = applyIncremental(map, decodeIncremental(incrementals.get(epoch)!));
    assert.deepEqual(comparable(map), comparable(decodeOsdMap(fulls.get(epoch)!)), `epoch ${epoch}`);
  }
});

test("what an incremental does not change is shared with the old map", () => {
  const map = decodeOsdMap(fulls.get(40)!);
  const next = applyIncremental(map, decodeIncremental(incrementals.get(41)!));
  assert.equal(next.crush, map.crush);
  assert.notEqual(next.epoch, map.epoch);
});

test("an incremental that does not follow on is refused", () => {
  const map = decodeOsdMap(fulls.get(40)!);
  for (const epoch of [39, 40, 42]) {
    const incremental = decodeIncremental(incrementals.get(epoch)!);
    assert.throws(() => applyIncremental(map, incremental), RadosError);
  }
});

test("an incremental of another cluster is refused", () => {
  const map = { ...decodeOsdMap(fulls.get(40)!), fsid: "00000000-0000-0000-0000-000000000000" };
  const incremental = decodeIncremental(incrementals.get(41)!);
  assert.throws(() => applyIncremental(map, incremental), /belongs to cluster/);
});

test("an incremental that names an OSD beyond the last is refused", () => {
  const map = decodeOsdMap(fulls.get(40)!);
  const incremental = decodeIncremental(incrementals.get(41)!);
  incremental.newWeight.set(map.maxOsd, 1);
  assert.throws(() => applyIncremental(map, incremental), /names osd/);
});

/** A map's state with its tables as plain data in a fixed order. */
function comparable(state: OsdMapState): unknown {
  const { crush, pgs, blocklist, pools, poolNames, erasureCodeProfiles, ...rest } = state;
  return {
    ...rest,
    crush: crush.map,
    pools: sorted(pools),
    poolNames: sorted(poolNames),
    erasureCodeProfiles: sorted(erasureCodeProfiles),
    pgs: Object.values(pgs).map((table) => sorted(table.entries())),
    blocklist: sorted(blocklist.entries.map((entry) => [entry, 0])),
    ranges: sorted(blocklist.ranges.map((entry) => [entry, 0])),
  };
}

function sorted(entries: Iterable<readonly [unknown, unknown]>): unknown[] {
  const key = (entry: readonly unknown[]) => JSON.stringify(entry[0]);
  return [...entries].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
