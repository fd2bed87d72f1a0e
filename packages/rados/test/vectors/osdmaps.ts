import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** What `osdmaptool --dump json` says of a map, as far as tests look at it. */
export interface OsdMapDump {
  epoch: number;
  fsid: string;
  flags_num: number;
  crush_version: number;
  full_ratio: number;
  nearfull_ratio: number;
  backfillfull_ratio: number;
  pool_max: number;
  max_osd: number;
  require_osd_release: string;
  require_min_compat_client: string;
  pools: PoolDump[];
  osds: OsdDump[];
  pg_upmap: { pgid: string; osds: number[] }[];
  pg_upmap_items: { pgid: string; mappings: { from: number; to: number }[] }[];
  pg_temp: { pgid: string; osds: number[] }[];
  /** PG, OSD, PG, OSD, ... */
  primary_temp: (string | number)[];
  blocklist: Record<string, string>;
  range_blocklist: Record<string, string>;
  erasure_code_profiles: Record<string, Record<string, string>>;
  new_removed_snaps: { pool: number; snaps: { begin: number; length: number }[] }[];
}

export interface PoolDump {
  pool: number;
  pool_name: string;
  flags: number;
  type: number;
  size: number;
  min_size: number;
  crush_rule: number;
  object_hash: number;
  pg_num: number;
  pg_placement_num: number;
  pg_num_target: number;
  pg_num_pending: number;
  last_change: string;
  last_force_op_resend: string;
  last_force_op_resend_preluminous: string;
  snap_seq: number;
  snap_epoch: number;
  pool_snaps: { snapid: number; stamp: string; name: string }[];
  quota_max_bytes: number;
  quota_max_objects: number;
  tiers: number[];
  tier_of: number;
  read_tier: number;
  write_tier: number;
  erasure_code_profile: string;
  stripe_width: number;
  expected_num_objects: number;
  fast_read: boolean;
  application_metadata: Record<string, Record<string, string>>;
}

export interface OsdDump {
  osd: number;
  up: 0 | 1;
  in: 0 | 1;
  weight: number;
  primary_affinity: number;
  public_addrs: { addrvec: { type: string; addr: string; nonce: number }[] };
  state: string[];
}

/** Maps of a real cluster by epoch, and incrementals by the epoch that they lead to. */
export interface OsdMapVectors {
  fulls: Map<number, Buffer>;
  incrementals: Map<number, Buffer>;
  dumps: Map<number, OsdMapDump>;
}

/** Made by make-osdmaps.ts. */
export function osdMapVectors(): OsdMapVectors {
  const compressed = readFileSync(new URL("osdmaps.json.gz", import.meta.url));
  const { fulls, incrementals, dumps } = JSON.parse(gunzipSync(compressed).toString());
  return { fulls: decoded(fulls), incrementals: decoded(incrementals), dumps: byEpoch(dumps) };
}

function decoded(texts: Record<string, string>): Map<number, Buffer> {
  return new Map([...byEpoch(texts)].map(([epoch, text]) => [epoch, Buffer.from(text, "base64")]));
}

function byEpoch<T>(values: Record<string, T>): Map<number, T> {
  return new Map(Object.entries(values).map(([epoch, value]) => [Number(epoch), value]));
}
