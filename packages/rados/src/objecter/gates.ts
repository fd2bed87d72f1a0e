import type { OsdMap } from "../osdmap/osdmap.ts";
import { type Pool, PoolFlag } from "../osdmap/pool.ts";
import { MapFlag } from "../osdmap/state.ts";
import { opCode, requestFlag } from "./op-code.ts";
import type { OpList } from "./op-list.ts";

/** Whether a map holds requests back: by pause flags or full pools. */
export function holdsSomethingBack(map: OsdMap): boolean {
  if ((map.state.flags & (MapFlag.pauseReads | MapFlag.pauseWrites | MapFlag.full)) !== 0) return true;
  for (const pool of map.state.pools.values()) if ((pool.flags & PoolFlag.full) !== 0) return true;
  return false;
}

/**
 * Whether a request must wait for a later map (Objecter::target_should_be_paused in src/osdc/Objecter.cc).
 *
 * @param flags `requestFlag`s
 */
export function isHeldBack(map: OsdMap, pool: Pool, flags: number): boolean {
  if ((flags & requestFlag.read) !== 0 && map.readsPaused) return true;
  if ((flags & requestFlag.write) === 0) return false;
  const mayFill = (flags & (requestFlag.fullTry | requestFlag.fullForce)) !== 0;
  return map.writesPaused(pool, mayFill);
}

/** Whether a request only deletes; full pools accept it. */
export function onlyDeletes(ops: OpList): boolean {
  for (let op = 0; op < ops.count; op++) if (ops.code(op) !== opCode.delete) return false;
  return ops.count > 0;
}
