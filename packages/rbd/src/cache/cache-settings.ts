import type { Settings } from "../settings/settings.ts";
import type { CacheOptions, CachePolicy } from "./image-cache.ts";

/**
 * The cache according to an image's settings (`rbd_cache` and `rbd_cache_*`). Ceph's default is a cache; siphon's is
 * none unless `rbd_cache = true` is set, because on a fast cluster it costs more than it saves.
 */
export function cacheSettings(
  settings: Pick<Settings, "given" | "number" | "text">,
): CacheOptions | undefined {
  if (settings.given("rbd_cache") !== "true") return undefined;
  const size = settings.number("rbd_cache_size");
  const maxDirty = settings.number("rbd_cache_max_dirty");
  // As in Ceph: nothing is acknowledged early then.
  if (maxDirty === 0) return { policy: "writethrough", size };
  const policy = settings.text("rbd_cache_policy") as CachePolicy;
  // Ceph's default is true; only the command rbd differs.
  const untilFlush = settings.given("rbd_cache_writethrough_until_flush") !== "false";
  return { policy, size, maxDirty, writethroughUntilFlush: untilFlush };
}

export const cachePolicies: readonly CachePolicy[] = ["writethrough", "writearound", "writeback"];
