import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "@siphon/wire";
import { RadosError } from "../../src/errors.ts";
import { advanceOsdMap, OsdMap } from "../../src/osdmap/osdmap.ts";
import { MapFlag } from "../../src/osdmap/state.ts";
import { osdMapVectors } from "../vectors/osdmaps.ts";

const { fulls, incrementals } = osdMapVectors();
const map = OsdMap.decode(fulls.get(100)!);
const only = <T>(all: Map<number, T>, ...epochs: number[]) =>
  new Map(epochs.map((epoch) => [epoch, all.get(epoch)!]));
const nothing = new Map<number, Buffer>();

test("pools are found by name and by id", () => {
  const pool = map.poolByName("libvirt-pool")!;
  assert.equal(map.pool(pool.id), pool);
  assert.equal(map.poolName(pool.id), "libvirt-pool");
  assert.equal(map.poolByName("plain"), undefined);
  assert.equal(map.poolByName("no such pool"), undefined);
});

test("a placement is computed once for a map", () => {
  const pool = map.poolByName("libvirt-pool")!;
  assert.equal(map.place(pool, 1), map.place(pool, 1));
});

test("a paused or full map holds back what it should", () => {
  const pool = map.poolByName("libvirt-pool")!;
  const withFlags = (flags: number) => new OsdMap({ ...map.state, flags });
  assert.equal(withFlags(0).readsPaused, false);
  assert.equal(withFlags(MapFlag.pauseReads).readsPaused, true);
  assert.equal(withFlags(MapFlag.pauseReads).writesPaused(pool), false);
  assert.equal(withFlags(MapFlag.pauseWrites).writesPaused(pool, true), true);
  assert.equal(withFlags(MapFlag.full).writesPaused(pool), true);
  assert.equal(withFlags(MapFlag.full).writesPaused(pool, true), false);
  assert.equal(withFlags(0).writesPaused({ ...pool, flags: 2 }), true);
});

test("the first map is a full one", () => {
  assert.deepEqual(advanceOsdMap(undefined, { fulls: nothing, incrementals: only(incrementals, 5) }), {
    map: undefined,
    missing: 1,
  });
  const { map: first, missing } = advanceOsdMap(undefined, { fulls: only(fulls, 5), incrementals: nothing });
  assert.equal(first?.epoch, 5);
  assert.equal(missing, undefined);
});

test("incrementals that follow on are applied in order, those already known are passed over", () => {
  const update = { fulls: nothing, incrementals: only(incrementals, 103, 99, 102, 100, 101) };
  const { map: next, missing } = advanceOsdMap(map, update);
  assert.equal(next?.epoch, 103);
  assert.equal(missing, undefined);
});

test("a gap is told by the first epoch that is missing", () => {
  const update = { fulls: nothing, incrementals: only(incrementals, 101, 103, 104) };
  const { map: next, missing } = advanceOsdMap(map, update);
  assert.equal(next?.epoch, 101);
  assert.equal(missing, 102);
});

test("a full map jumps over a gap, and incrementals lead on from it", () => {
  const update = { fulls: only(fulls, 90, 105), incrementals: only(incrementals, 103, 106) };
  const { map: next, missing } = advanceOsdMap(map, update);
  assert.equal(next?.epoch, 106);
  assert.equal(missing, undefined);
});

test("an older full map changes nothing", () => {
  const { map: same, missing } = advanceOsdMap(map, { fulls: only(fulls, 90), incrementals: nothing });
  assert.equal(same, map);
  assert.equal(missing, undefined);
});

test("maps of another cluster, and damaged ones, are refused", () => {
  const other = new OsdMap({ ...map.state, fsid: "00000000-0000-0000-0000-000000000000" });
  assert.throws(() => advanceOsdMap(other, { fulls: only(fulls, 105), incrementals: nothing }), RadosError);
  const damaged = Buffer.from(incrementals.get(101)!);
  damaged[damaged.length - 1]! ^= 1;
  const update = { fulls: nothing, incrementals: new Map([[101, damaged]]) };
  assert.throws(
    () => advanceOsdMap(map, update),
    (error) => error instanceof WireError && error.code === "SIPHON_WIRE_CHECKSUM",
  );
});
