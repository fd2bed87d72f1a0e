import assert from "node:assert/strict";
import { test } from "node:test";
import { type EntityAddr, WireError } from "@siphon/wire";
import { decodeOsdMap } from "../../src/osdmap/decode.ts";
import { decodeIncremental } from "../../src/osdmap/incremental.ts";
import { formatPgId, type PgId, type PgTable } from "../../src/osdmap/pg.ts";
import { fullWeight, OsdState } from "../../src/osdmap/state.ts";
import { osdMapBytes, withChecksum } from "../support/osdmap-bytes.ts";
import { type OsdMapDump, osdMapVectors } from "../vectors/osdmaps.ts";

const vectors = osdMapVectors();
const crushBytes = [...vectors.incrementals.values()]
  .map((bytes) => decodeIncremental(bytes).crush)
  .findLast((crush) => crush.length > 0)!;
const releases: Record<string, number> = { unknown: 0, luminous: 12, pacific: 16 };

test("every real map says what osdmaptool prints of it", () => {
  for (const [epoch, dump] of vectors.dumps) {
    assert.deepEqual(described(vectors.fulls.get(epoch)!), relevant(dump));
  }
});

test("between them the real maps have every kind of exception", () => {
  const dumps = [...vectors.dumps.values()];
  for (const field of ["pg_upmap", "pg_upmap_items", "pg_temp", "primary_temp"] as const) {
    assert.ok(
      dumps.some((dump) => dump[field].length > 0),
      field,
    );
  }
  assert.ok(dumps.some((dump) => Object.keys(dump.blocklist).length > 0));
  assert.ok(dumps.some((dump) => Object.keys(dump.range_blocklist).length > 0));
  assert.ok(dumps.some(({ pools }) => pools.some(({ read_tier }) => read_tier >= 0)));
});

test("a bit changed anywhere is noticed", () => {
  const bytes = vectors.fulls.get(40)!;
  for (let at = 6; at < bytes.length; at += 37) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 1 << (at % 8);
    assert.throws(() => decodeOsdMap(damaged), WireError);
  }
});

test("a map that only newer readers understand is refused by name", () => {
  const bytes = Buffer.from(vectors.fulls.get(40)!);
  // The compat version of the client data.
  bytes[7] = 11;
  const osdData = 12 + bytes.readUInt32LE(8);
  const crcAt = osdData + 6 + bytes.readUInt32LE(osdData + 2);
  assert.throws(
    () => decodeOsdMap(withChecksum(bytes, crcAt)),
    (error) =>
      error instanceof WireError &&
      error.code === "SIPHON_WIRE_INCOMPATIBLE" &&
      /version 11/.test(error.message),
  );
});

test("what Ceph 18 and 20 added is read: upmapped primaries, shards that never become primary", () => {
  const state = decodeOsdMap(
    osdMapBytes({
      fsid: "01234567-89ab-cdef-0123-456789abcdef",
      epoch: 3,
      crush: crushBytes,
      pools: [
        {
          id: 5,
          name: "p",
          type: 3,
          size: 6,
          rule: 0,
          pgNum: 8,
          pgpNum: 8,
          flags: 1,
          nonprimaryShards: [1, 4],
        },
      ],
      osds: [{ state: 3, weight: fullWeight, affinity: fullWeight }],
      upmapPrimaries: [[{ pool: 5, seed: 7 }, 0]],
      osdRelease: 20,
    }),
  );
  assert.equal(state.pgs.upmapPrimaries.get(5, 7), 0);
  assert.deepEqual(state.pools.get(5)!.nonprimaryShards, [1, 4]);
  assert.equal(state.requireOsdRelease, 20);
});

test("what a release to come adds to a map and its pools is passed over, by the lengths", () => {
  const spec = {
    ...{ fsid: "01234567-89ab-cdef-0123-456789abcdef", epoch: 3, crush: crushBytes },
    pools: [
      {
        ...{ id: 5, name: "p", type: 3, size: 6, rule: 0, pgNum: 8, pgpNum: 8, flags: 1 },
        nonprimaryShards: [1, 4],
      },
    ],
    osds: [{ state: 3, weight: fullWeight, affinity: fullWeight }],
    upmapPrimaries: [[{ pool: 5, seed: 7 }, 0]] satisfies [PgId, number][],
    blockedRanges: [{ type: "any", nonce: 24, family: 4, address: "192.0.2.0", port: 0 } as const],
  };
  assert.deepEqual(decodeOsdMap(osdMapBytes({ ...spec, toCome: 20 })), decodeOsdMap(osdMapBytes(spec)));
});

/** A decoded map in osdmaptool's terms. */
function described(bytes: Buffer): unknown {
  const state = decodeOsdMap(bytes);
  const { osds, pgs } = state;
  const exists = [...osds.state.keys()].filter((id) => (osds.state[id]! & OsdState.exists) !== 0);
  return {
    epoch: state.epoch,
    fsid: state.fsid,
    flags_num: state.flags,
    crush_version: state.crushVersion,
    full_ratio: state.fullRatio,
    nearfull_ratio: state.nearFullRatio,
    backfillfull_ratio: state.backfillFullRatio,
    pool_max: state.poolMax,
    max_osd: state.maxOsd,
    require_osd_release: state.requireOsdRelease,
    require_min_compat_client: state.requireMinCompatClient,
    pools: [...state.pools.values()].map((pool) => ({
      pool: pool.id,
      pool_name: state.poolNames.get(pool.id),
      flags: pool.flags,
      type: pool.type,
      size: pool.size,
      min_size: pool.minSize,
      crush_rule: pool.crushRule,
      object_hash: pool.objectHash,
      pg_num: pool.pgNum,
      pg_placement_num: pool.pgpNum,
      pg_num_target: pool.pgNumTarget,
      pg_num_pending: pool.pgNumPending,
      last_change: String(pool.lastChange),
      last_force_op_resend: String(pool.lastForceResend),
      last_force_op_resend_preluminous: String(pool.lastForceResendPreluminous),
      snap_seq: Number(pool.snapSeq),
      snap_epoch: pool.snapEpoch,
      pool_snaps: [...pool.snaps.values()].map(({ id, name }) => ({ snapid: Number(id), name })),
      quota_max_bytes: Number(pool.quotaMaxBytes),
      quota_max_objects: Number(pool.quotaMaxObjects),
      tiers: pool.tiers,
      tier_of: pool.tierOf,
      read_tier: pool.readTier,
      write_tier: pool.writeTier,
      erasure_code_profile: pool.erasureCodeProfile,
      stripe_width: pool.stripeWidth,
      expected_num_objects: Number(pool.expectedObjects),
      fast_read: pool.fastRead,
      application_metadata: Object.fromEntries(
        [...pool.applications].map(([name, settings]) => [name, Object.fromEntries(settings)]),
      ),
    })),
    osds: exists.map((id) => ({
      osd: id,
      up: (osds.state[id]! & OsdState.up) === 0 ? 0 : 1,
      in: osds.weight[id] === 0 ? 0 : 1,
      weight: osds.weight[id]! / fullWeight,
      primary_affinity: (osds.primaryAffinity?.[id] ?? fullWeight) / fullWeight,
      public_addrs: osds.addrs[id]!.map(addrDump),
      noup: (osds.state[id]! & OsdState.noUp) !== 0,
      new: (osds.state[id]! & OsdState.new) !== 0,
    })),
    pg_upmap: pgDump(pgs.upmap, (list) => list),
    pg_upmap_items: pgDump(pgs.upmapItems, (list) => list),
    pg_temp: pgDump(pgs.temp, (list) => list),
    primary_temp: pgDump(pgs.primaryTemp, (osd) => osd).flat(),
    blocklist: state.blocklist.entries.map(({ addr }) => blocklistDump(addr)).sort(),
    range_blocklist: state.blocklist.ranges.map(({ addr }) => addr.address).sort(),
    erasure_code_profiles: Object.fromEntries(
      [...state.erasureCodeProfiles].map(([name, settings]) => [name, Object.fromEntries(settings)]),
    ),
    new_removed_snaps: [...state.newRemovedSnaps].map(([pool, snaps]) => ({
      pool,
      snaps: snaps.map(({ start, length }) => ({ begin: Number(start), length: Number(length) })),
    })),
  };
}

/** The fields of osdmaptool's output that `described` has, in the same form. */
function relevant(dump: OsdMapDump): unknown {
  return {
    epoch: dump.epoch,
    fsid: dump.fsid,
    flags_num: dump.flags_num,
    crush_version: dump.crush_version,
    full_ratio: Math.fround(dump.full_ratio),
    nearfull_ratio: Math.fround(dump.nearfull_ratio),
    backfillfull_ratio: Math.fround(dump.backfillfull_ratio),
    pool_max: dump.pool_max,
    max_osd: dump.max_osd,
    require_osd_release: releases[dump.require_osd_release],
    require_min_compat_client: releases[dump.require_min_compat_client],
    pools: dump.pools.map((pool) => ({
      pool: pool.pool,
      pool_name: pool.pool_name,
      flags: pool.flags,
      type: pool.type,
      size: pool.size,
      min_size: pool.min_size,
      crush_rule: pool.crush_rule,
      object_hash: pool.object_hash,
      pg_num: pool.pg_num,
      pg_placement_num: pool.pg_placement_num,
      pg_num_target: pool.pg_num_target,
      pg_num_pending: pool.pg_num_pending,
      last_change: pool.last_change,
      last_force_op_resend: pool.last_force_op_resend,
      last_force_op_resend_preluminous: pool.last_force_op_resend_preluminous,
      snap_seq: pool.snap_seq,
      snap_epoch: pool.snap_epoch,
      pool_snaps: pool.pool_snaps.map(({ snapid, name }) => ({ snapid, name })),
      quota_max_bytes: pool.quota_max_bytes,
      quota_max_objects: pool.quota_max_objects,
      tiers: pool.tiers,
      tier_of: pool.tier_of,
      read_tier: pool.read_tier,
      write_tier: pool.write_tier,
      erasure_code_profile: pool.erasure_code_profile,
      stripe_width: pool.stripe_width,
      expected_num_objects: pool.expected_num_objects,
      fast_read: pool.fast_read,
      application_metadata: pool.application_metadata,
    })),
    osds: dump.osds.map((osd) => ({
      osd: osd.osd,
      up: osd.up,
      in: osd.in,
      weight: osd.weight,
      primary_affinity: osd.primary_affinity,
      public_addrs: osd.public_addrs.addrvec,
      noup: osd.state.includes("noup"),
      new: osd.state.includes("new"),
    })),
    pg_upmap: dump.pg_upmap.map(({ pgid, osds }) => [pgid, osds]),
    pg_upmap_items: dump.pg_upmap_items.map(({ pgid, mappings }) => [
      pgid,
      mappings.flatMap(({ from, to }) => [from, to]),
    ]),
    pg_temp: dump.pg_temp.map(({ pgid, osds }) => [pgid, osds]),
    primary_temp: dump.primary_temp,
    blocklist: Object.keys(dump.blocklist).sort(),
    range_blocklist: Object.keys(dump.range_blocklist)
      .map((range) => range.replace(/^cidr:/, "").replace(/[[\]]|:0\/\d+$/g, ""))
      .sort(),
    erasure_code_profiles: dump.erasure_code_profiles,
    new_removed_snaps: dump.new_removed_snaps,
  };
}

function addrDump({ type, address, family, port, nonce }: EntityAddr): unknown {
  const host = family === 6 ? `[${address}]` : address;
  return { type: type === "msgr2" ? "v2" : "v1", addr: `${host}:${port}`, nonce };
}

function blocklistDump({ address, family, port, nonce }: EntityAddr): string {
  return `${family === 6 ? `[${address}]` : address}:${port}/${nonce}`;
}

function pgDump<V>(table: PgTable<V>, shown: (value: V) => unknown): unknown[][] {
  return [...table.entries()].map(([pg, value]) => [formatPgId(pg), shown(value)]);
}
