import { parseBytes } from "@siphon/wire";
import { RbdError } from "../errors.ts";
import type { CacheOptions, CachePolicy } from "./image-cache.ts";

/** Where settings are found by their names; a cluster. */
export interface Settings {
  setting(name: string): string | undefined;
}

/**
 * The cache that ceph.conf, or the monitors, ask for: `rbd_cache`, `rbd_cache_policy`, `rbd_cache_size`, `rbd_cache_max_dirty`. Ceph's
 * own default is to have one; here there is one only where `rbd_cache = true` is said, since it costs a fast cluster
 * more than it saves. The policy is writearound then, as in Ceph.
 *
 * @throws RbdError SIPHON_RBD_INVALID for values that make no sense
 */
export function cacheSettings(settings: Settings): CacheOptions | undefined {
  if (!isOn(settings.setting("rbd_cache"))) return undefined;
  const policy = settings.setting("rbd_cache_policy") || "writearound";
  if (!isPolicy(policy)) throw nonsense("rbd_cache_policy", policy);
  const size = bytesOf(settings, "rbd_cache_size");
  const maxDirty = bytesOf(settings, "rbd_cache_max_dirty");
  // As in Ceph: nothing may be acknowledged early then.
  if (maxDirty === 0) return { policy: "writethrough", size };
  return { policy, size, maxDirty };
}

export const cachePolicies: readonly CachePolicy[] = ["writethrough", "writearound", "writeback"];

function isPolicy(text: string): text is CachePolicy {
  return cachePolicies.includes(text as CachePolicy);
}

function isOn(text: string | undefined): boolean {
  return ["true", "yes", "on", "1"].includes(text?.toLowerCase() ?? "");
}

/** Bytes, also with a unit as in `64M`. */
function bytesOf(settings: Settings, name: string): number | undefined {
  const text = settings.setting(name);
  if (text === undefined || text === "") return undefined;
  const bytes = parseBytes(text);
  if (bytes === undefined) throw nonsense(name, text);
  return bytes;
}

function nonsense(name: string, value: string): RbdError {
  return new RbdError("SIPHON_RBD_INVALID", `${name} has an invalid value: ${value}`, {
    hint: "set it in ceph.conf or the cluster's configuration (ceph config set client)",
  });
}
