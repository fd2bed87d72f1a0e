import { RadosError } from "../errors.ts";
import type { OsdBackoff } from "../messages/osd-backoff.ts";
import { comparePositions, type ObjectPosition } from "../osdmap/object-position.ts";
import { NO_SNAP } from "./snap-context.ts";
import type { ObjectTarget } from "./target.ts";

/** Objects and PGs that an OSD asked this client not to use for now (doc/dev/osd_internals/backoff.rst). Forgotten with the connection. */
export class Backoffs {
  readonly #byId = new Map<bigint, OsdBackoff>();

  add(backoff: OsdBackoff): void {
    if (this.#byId.size >= mostBackoffs) {
      throw new RadosError("SIPHON_RADOS_PROTOCOL", `an OSD asked for more than ${mostBackoffs} backoffs`);
    }
    this.#byId.set(backoff.id, backoff);
  }

  remove({ id }: OsdBackoff): void {
    this.#byId.delete(id);
  }

  clear(): void {
    if (this.#byId.size > 0) this.#byId.clear();
  }

  /** Whether requests to an object wait. */
  hold(target: ObjectTarget): boolean {
    if (this.#byId.size === 0) return false;
    for (const backoff of this.#byId.values()) if (covers(backoff, target)) return true;
    return false;
  }
}

/** Whether an object is in a backoff's PG and range. */
export function covers(backoff: OsdBackoff, target: ObjectTarget): boolean {
  const { poolId, seed, shard, begin, end } = backoff;
  if (target.poolId !== poolId || target.pgSeed !== seed || target.shard !== shard) return false;
  const position = positionOf(target);
  const fromBegin = comparePositions(position, begin);
  return fromBegin === 0 || (fromBegin > 0 && comparePositions(position, end) < 0);
}

function positionOf({ poolId, hash, namespace, key, name }: ObjectTarget): ObjectPosition {
  return {
    ...{ isMax: false, pool: BigInt(poolId), hash, snap: BigInt.asUintN(64, BigInt(NO_SNAP)) },
    ...{ namespace: Buffer.from(namespace), key: Buffer.from(key), name: Buffer.from(name) },
  };
}

/** Maximum number of backoffs: an OSD sends a few for each PG. */
const mostBackoffs = 100_000;
