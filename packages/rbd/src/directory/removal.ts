import type { Cluster, Pool } from "@siphon/rados";
import { readHeader } from "../header/read-header.ts";
import { poolSettings } from "../settings/settings.ts";
import { idToOpen } from "./find-image.ts";

/** The effect of removing an image. */
export type Removal =
  | { readonly to: "nowhere" }
  | {
      readonly to: "trash";
      readonly source: "user" | "user_parent";
      /** Until then only `force` removes it; undefined: no limit. */
      readonly keptUntil: Date | undefined;
    };

/**
 * Settings of the pool or client decide whether a removed image goes to the trash (src/librbd/api/Image.cc): always
 * (rbd_move_to_trash_on_remove), or while clones need its removed snapshots (rbd_move_parent_to_trash_on_remove).
 */
export async function planRemoval(cluster: Cluster, pool: Pool, name: string): Promise<Removal> {
  const settings = await poolSettings(cluster, pool);
  if (settings.flag("rbd_move_to_trash_on_remove")) {
    const seconds = settings.number("rbd_move_to_trash_on_remove_expire_seconds");
    const keptUntil = seconds === 0 ? undefined : new Date(Date.now() + 1000 * seconds);
    return { to: "trash", source: "user", keptUntil };
  }
  if (!settings.flag("rbd_move_parent_to_trash_on_remove")) return { to: "nowhere" };
  const { snapshots } = await readHeader(pool, await idToOpen(pool, name), name);
  const all = [...snapshots.values()];
  const isParentOnly = all.length > 0 && all.every(({ namespace }) => namespace.type === "trash");
  const isShown = all.some(({ childCount }) => childCount > 0);
  if (!isParentOnly || !isShown) return { to: "nowhere" };
  return { to: "trash", source: "user_parent", keptUntil: undefined };
}
