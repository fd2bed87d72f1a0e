import type { Cluster, Pool } from "@siphon/rados";
import { readHeader } from "../header/read-header.ts";
import { poolSettings } from "../settings/settings.ts";
import { idOf } from "./find-image.ts";

/** The effect of removing an image. */
export type Removal =
  | { readonly to: "nowhere" }
  | {
      readonly to: "trash";
      readonly source: "user" | "user_parent";
      /** Until when it is only removed by force; undefined: at once. */
      readonly keptUntil: Date | undefined;
    };

/**
 * Settings decide whether an image that is removed is gone, or put into the trash (src/librbd/api/Image.cc): always
 * (rbd_move_to_trash_on_remove), or as long as clones show snapshots of it that were removed
 * (rbd_move_parent_to_trash_on_remove). They are the pool's, or else the client's.
 */
export async function planRemoval(cluster: Cluster, pool: Pool, name: string): Promise<Removal> {
  const settings = await poolSettings(cluster, pool);
  if (settings.flag("rbd_move_to_trash_on_remove")) {
    const seconds = settings.number("rbd_move_to_trash_on_remove_expire_seconds");
    const keptUntil = seconds === 0 ? undefined : new Date(Date.now() + 1000 * seconds);
    return { to: "trash", source: "user", keptUntil };
  }
  if (!settings.flag("rbd_move_parent_to_trash_on_remove")) return { to: "nowhere" };
  const { snapshots } = await readHeader(pool, await idOf(pool, name), name);
  const all = [...snapshots.values()];
  const isParentOnly = all.length > 0 && all.every(({ namespace }) => namespace.type === "trash");
  const isShown = all.some(({ childCount }) => childCount > 0);
  if (!isParentOnly || !isShown) return { to: "nowhere" };
  return { to: "trash", source: "user_parent", keptUntil: undefined };
}
