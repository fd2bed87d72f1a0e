import { CephFloat, type Command } from "./command.ts";

/** Parameters of a new pool; missing ones have the cluster's default. */
export interface PoolSpec {
  name: string;
  /** Number of PGs. */
  pgs?: number;
  /** Copies; replicated pools only. */
  size?: number;
  /** Creates an erasure-coded pool with this profile. */
  erasureCodeProfile?: string;
  crushRule?: string;
  /** The application of the pool: `rbd`, `rgw`, `cephfs`, or any other name. */
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

/** Usage in bytes. */
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
  /** Bytes stored by clients, and bytes used including copies and overhead. */
  storedBytes: number;
  usedBytes: number;
  /** Bytes that clients can still store. */
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
