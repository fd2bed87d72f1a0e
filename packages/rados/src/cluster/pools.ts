import { CephFloat, type Command } from "./command.ts";

/** A pool to be made; what is left out is the cluster's default. */
export interface PoolSpec {
  name: string;
  /** Number of PGs. */
  pgs?: number;
  /** Copies; replicated pools only. */
  size?: number;
  /** Makes an erasure-coded pool, by this profile. */
  erasureCodeProfile?: string;
  crushRule?: string;
  /** The application of the pool: `rbd`, `rgw`, `cephfs`, or a name of your own. */
  application?: string;
}

export function createPoolCommands(spec: PoolSpec): Command[] {
  const { name, pgs, size, erasureCodeProfile, crushRule, application } = spec;
  const create: Command = { prefix: "osd pool create", pool: name };
  if (pgs !== undefined) Object.assign(create, { pg_num: pgs, pgp_num: pgs });
  create.pool_type = erasureCodeProfile === undefined ? "replicated" : "erasure";
  if (erasureCodeProfile !== undefined) create.erasure_code_profile = erasureCodeProfile;
  if (crushRule !== undefined) create.rule = crushRule;
  if (size !== undefined && erasureCodeProfile === undefined) create.size = size;
  const commands = [create];
  if (application !== undefined) {
    commands.push({ prefix: "osd pool application enable", pool: name, app: application });
  }
  return commands;
}

export function deletePoolCommand(name: string): Command {
  return { prefix: "osd pool delete", pool: name, pool2: name, yes_i_really_really_mean_it: true };
}

/** How full things are; bytes. */
export interface Usage {
  totalBytes: number;
  usedBytes: number;
  availableBytes: number;
  pools: PoolUsage[];
}

export interface PoolUsage {
  id: number;
  name: string;
  objects: number;
  /** Bytes that clients stored, and bytes that these take with copies and overhead. */
  storedBytes: number;
  usedBytes: number;
  /** How much more clients can store. */
  availableBytes: number;
}

/** Reads the output of `df`. */
export function readUsage(output: unknown): Usage {
  const df = output as DfOutput;
  return {
    totalBytes: df.stats.total_bytes,
    usedBytes: df.stats.total_used_bytes,
    availableBytes: df.stats.total_avail_bytes,
    pools: df.pools.map(({ id, name, stats }) => ({
      id,
      name,
      objects: stats.objects,
      storedBytes: stats.stored,
      usedBytes: stats.bytes_used,
      availableBytes: stats.max_avail,
    })),
  };
}

interface DfOutput {
  stats: { total_bytes: number; total_used_bytes: number; total_avail_bytes: number };
  pools: {
    id: number;
    name: string;
    stats: { objects: number; stored: number; bytes_used: number; max_avail: number };
  }[];
}

/** @param addr as in the OSD map: `192.0.2.1:0/1234` */
export function blocklistCommand(action: "add" | "rm", addr: string, seconds?: number): Command {
  const command: Command = { prefix: "osd blocklist", blocklistop: action, addr };
  if (seconds !== undefined) command.expire = new CephFloat(seconds);
  return command;
}
