import { LabError } from "../errors.ts";
import type { CephClient } from "./client.ts";

/**
 * Passes if the user may not query the space.
 *
 * @throws LabError SIPHON_NO_SPACE when `bytes` do not fit into the pool: in a full cluster writers wait for ever
 * instead of failing
 */
export async function checkSpace(
  client: CephClient,
  bytes: number,
  what: string,
  signal?: AbortSignal,
): Promise<void> {
  interface Df {
    pools: { name: string; stats: { max_avail: number } }[];
  }
  let df: Df;
  try {
    df = (await client.command(["df"], { signal })) as Df;
  } catch (error) {
    if (error instanceof LabError && error.code === "SIPHON_PERMISSION") return;
    throw error;
  }
  const free = df.pools.find(({ name }) => name === client.pool)?.stats.max_avail;
  if (free === undefined || bytes <= free) return;
  throw new LabError("SIPHON_NO_SPACE", `${what} takes ${bytes} bytes, and the pool has room for ${free}`, {
    hint: "use a smaller image, remove others, or add OSDs",
  });
}
