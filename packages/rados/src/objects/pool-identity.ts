import type { Pool } from "../osdmap/pool.ts";

/** The pool of a handle: its name and state in the newest OSD map. */
export interface PoolIdentity {
  readonly id: number;
  readonly name: string;
  readonly namespace: string;
  /** @throws RadosError ENOENT once the pool is removed */
  readonly state: Pool;
}
