import assert from "node:assert/strict";
import { test } from "node:test";
import { ITEM_NONE } from "../../src/crush/map.ts";
import { OsdMap } from "../../src/osdmap/osdmap.ts";
import { PoolFlag } from "../../src/osdmap/pool.ts";
import { fullWeight, OsdState } from "../../src/osdmap/state.ts";
import { type MapSpec, osdMapBytes, type PoolSpec } from "../support/osdmap-bytes.ts";
import { crushVectors } from "../vectors/crush-maps.ts";

// What Ceph 16 knows is compared with osdmaptool, on real and on generated maps; here is what came later.

const { map: crushMap, devices } = crushVectors().find((vector) => vector.devices === 12)!;
const up = OsdState.exists | OsdState.up;
const replicated: PoolSpec = { id: 1, name: "r", type: 1, size: 3, rule: 1, pgNum: 8, pgpNum: 8, flags: 1 };
const erasure: PoolSpec = { id: 2, name: "e", type: 3, size: 4, rule: 4, pgNum: 8, pgpNum: 8, flags: 1 };

function mapWith(spec: Partial<MapSpec>): OsdMap {
  const osds = Array.from({ length: devices }, () => ({
    state: up,
    weight: fullWeight,
    affinity: fullWeight,
  }));
  return OsdMap.decode(
    osdMapBytes({
      ...{ fsid: "01234567-89ab-cdef-0123-456789abcdef", epoch: 1, osdRelease: 20 },
      ...{ crush: Buffer.from(crushMap, "base64"), pools: [replicated, erasure], osds },
      ...spec,
    }),
  );
}

const place = (map: OsdMap, pool: number, seed: number) => map.place(map.pool(pool)!, seed);

test("an upmapped primary changes places with the first", () => {
  const before = place(mapWith({}), 1, 3).up;
  const map = mapWith({ upmapPrimaries: [[{ pool: 1, seed: 3 }, before[2]!]] });
  assert.deepEqual(place(map, 1, 3).up, [before[2], before[1], before[0]]);
  assert.equal(place(map, 1, 3).actingPrimary, before[2]);
});

test("an upmapped primary that is not in the set, or out, changes nothing", () => {
  const before = place(mapWith({}), 1, 3).up;
  const stranger = [...Array(devices).keys()].find((osd) => !before.includes(osd))!;
  assert.deepEqual(place(mapWith({ upmapPrimaries: [[{ pool: 1, seed: 3 }, stranger]] }), 1, 3).up, before);
});

test("a pool with EC optimizations stores temporary sets with the shards first that may be primary", () => {
  const pool = { ...erasure, flags: 1 | PoolFlag.ecOptimizations, nonprimaryShards: [1, 2] };
  const map = mapWith({ pools: [pool], pgTemp: [[{ pool: 2, seed: 5 }, [ITEM_NONE, 7, 8, 9]]] });
  const { acting, actingPrimary, primaryShard } = place(map, 2, 5);
  assert.deepEqual(acting, [ITEM_NONE, 8, 9, 7]);
  assert.equal(actingPrimary, 7);
  assert.equal(primaryShard, 3);
});

test("an OSD with several shards is addressed by the one of them that may be primary", () => {
  const pool = { ...erasure, flags: 1 | PoolFlag.ecOptimizations, nonprimaryShards: [1, 2] };
  const map = mapWith({ pools: [pool], pgTemp: [[{ pool: 2, seed: 5 }, [ITEM_NONE, 7, 7, 9]]] });
  const { acting, actingPrimary, primaryShard } = place(map, 2, 5);
  assert.deepEqual([acting, actingPrimary, primaryShard], [[ITEM_NONE, 7, 9, 7], 7, 3]);
});

test("operations on erasure-coded PGs are addressed to the primary's shard", () => {
  const map = mapWith({ pgTemp: [[{ pool: 2, seed: 5 }, [ITEM_NONE, 7, 8, 9]]] });
  assert.equal(place(map, 2, 5).primaryShard, 1);
  assert.equal(place(map, 1, 5).primaryShard, -1);
});

test("from Ceph 17 on a rule serves pools of every size", () => {
  // crush-text.ts gives rule 1 a greatest size of 4.
  const pools = [{ ...replicated, size: 6 }];
  assert.equal(place(mapWith({ pools, osdRelease: 16 }), 1, 0).up.length, 0);
  assert.equal(place(mapWith({ pools, osdRelease: 17 }), 1, 0).up.length, 6);
});

test("a PG without any OSD has no primary", () => {
  const osds = Array.from({ length: devices }, () => ({
    state: 1,
    weight: fullWeight,
    affinity: fullWeight,
  }));
  const { up: osdSet, upPrimary, acting, actingPrimary } = place(mapWith({ osds }), 1, 0);
  assert.deepEqual([osdSet, upPrimary, acting, actingPrimary], [[], -1, [], -1]);
});
