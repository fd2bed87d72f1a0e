import { errno, utimeToMilliseconds } from "@siphon/wire";
import { type PoolOp, poolOp } from "../messages/pool-op.ts";
import type { CommandResult } from "../mon/requests.ts";
import type { OsdMap } from "../osdmap/osdmap.ts";
import type { WaitOptions } from "../wait.ts";
import { OperationError } from "./operation-error.ts";
import type { PoolIdentity } from "./pool-identity.ts";

/** A snapshot of a whole pool. */
export interface PoolSnapshot {
  id: number;
  name: string;
  created: Date;
}

/** The monitors, which create snapshots. */
export interface PoolOps {
  poolOp(op: PoolOp, what: string, options?: WaitOptions): Promise<CommandResult>;
  latestOsdMap(options?: WaitOptions): Promise<OsdMap>;
}

/**
 * Snapshots of a pool, of one of two kinds: snapshots of the whole pool, by name; or self-managed ones, for which the
 * cluster only issues ids, and each writer names the snapshots to preserve (`snapContext`). The first snapshot fixes
 * the pool's mode.
 */
export class PoolSnapshots {
  readonly #pool: PoolIdentity;
  readonly #mons: PoolOps;

  constructor(pool: PoolIdentity, mons: PoolOps) {
    this.#pool = pool;
    this.#mons = mons;
  }

  /** Those of the whole pool, oldest first. */
  list(): PoolSnapshot[] {
    return [...this.#pool.state.snaps.values()]
      .map(({ id, name, stamp }) => ({ id: Number(id), name, created: new Date(utimeToMilliseconds(stamp)) }))
      .sort((a, b) => a.id - b.id);
  }

  /**
   * Snapshots the whole pool; it is in the OSD map when this returns.
   *
   * @throws OperationError EEXIST if the name is taken; RadosError EINVAL if the pool has self-managed snapshots
   */
  async create(name: string, options?: WaitOptions): Promise<void> {
    // The monitors report success if there is nothing to do.
    if (this.#find(name) !== undefined) throw this.#refused(`make snapshot ${name}`, -errno.EEXIST);
    await this.#change({ op: poolOp.createSnapshot, name }, `make snapshot ${name}`, options);
  }

  /**
   * Removes a snapshot of the whole pool; it is gone from the OSD map when this returns.
   *
   * @throws OperationError ENOENT if there is no such snapshot
   */
  async remove(name: string, options?: WaitOptions): Promise<void> {
    if (this.#find(name) === undefined) throw this.#refused(`remove snapshot ${name}`, -errno.ENOENT);
    await this.#change({ op: poolOp.removeSnapshot, name }, `remove snapshot ${name}`, options);
  }

  /** A new id, greater than all before, for snapshot contexts. EINVAL if the pool has snapshots of its own. */
  async createSelfManaged(options?: WaitOptions): Promise<number> {
    const change = { op: poolOp.createSelfManagedSnapshot };
    const output = await this.#change(change, "make a self-managed snapshot", options);
    return Number(output.readBigUInt64LE());
  }

  /** Releases an id: the data preserved for it is removed gradually. */
  async removeSelfManaged(snapId: number, options?: WaitOptions): Promise<void> {
    const change = { op: poolOp.removeSelfManagedSnapshot, snapId };
    await this.#change(change, `remove self-managed snapshot ${snapId}`, options);
  }

  async #change(change: Omit<PoolOp, "poolId">, what: string, options?: WaitOptions): Promise<Buffer> {
    const { id: poolId, name } = this.#pool;
    const request = { poolId, ...change };
    const { result, output } = await this.#mons.poolOp(request, `${what} of pool ${name}`, options);
    if (result < 0) throw this.#refused(what, result);
    await this.#mons.latestOsdMap(options);
    return output;
  }

  #find(name: string): PoolSnapshot | undefined {
    return this.list().find((snapshot) => snapshot.name === name);
  }

  #refused(what: string, result: number): OperationError {
    return OperationError.of(`cannot ${what} of pool ${this.#pool.name}`, result, [], []);
  }
}
