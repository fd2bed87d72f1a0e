import type { CephClient } from "./client.ts";
import type { CephSession } from "./session.ts";

export interface PoolSpec {
  pool: string;
  /** Placement groups; the cluster's default unless told. */
  pgs?: number;
  replicas?: number;
}

/** Creates a replicated pool; needs admin caps. Call `initRbdPool` before images are created. */
export async function createPool(session: CephSession, { pool, pgs, replicas }: PoolSpec): Promise<void> {
  const count = pgs === undefined ? [] : [`${pgs}`, `${pgs}`];
  await session.command(["osd", "pool", "create", pool, ...count]);
  if (replicas === undefined) return;
  const sure = replicas === 1 ? ["--yes-i-really-mean-it"] : [];
  await session.command(["osd", "pool", "set", pool, "size", `${replicas}`, ...sure]);
}

/** `rbd pool init`: marks the pool as one for images. It writes an object, so it returns when PGs are active. */
export async function initRbdPool(client: CephClient, pool: string, signal?: AbortSignal): Promise<void> {
  await client.rbd(["pool", "init", pool], { signal, what: `make ${pool} a pool for images` });
}

/** The caps of a user who reads and writes the images of one pool (or one namespace of it). */
export function rbdCaps(pool: string, namespace?: string): Record<"mon" | "osd", string> {
  const where = namespace === undefined ? `pool=${pool}` : `pool=${pool} namespace=${namespace}`;
  return { mon: "profile rbd", osd: `profile rbd ${where}` };
}

/** `auth get-or-create` with the given caps; returns the user's key. Needs admin caps. */
export async function createUser(
  session: CephSession,
  user: string,
  caps: Record<string, string>,
): Promise<string> {
  const words = Object.entries(caps).flat();
  const [created] = (await session.command(["auth", "get-or-create", `client.${user}`, ...words])) as {
    key: string;
  }[];
  return created.key;
}
