import { NO_SNAP, type Pool } from "@siphon/rados";
import { errno } from "@siphon/wire";
import { nameOf } from "../directory/find-image.ts";
import { removeForsakenParent } from "../directory/remove-data.ts";
import { renameImage } from "../directory/rename-image.ts";
import { RbdError } from "../errors.ts";
import { featureNames } from "../image/features.ts";
import { rebuildOwnMap } from "../object-map/rebuild.ts";
import type { OnProgress } from "../progress.ts";
import type { OwnerTask } from "../watch/owner-task.ts";
import { updateFeatures } from "./features.ts";
import { flatten } from "./flatten.ts";
import type { MaintainedImage } from "./maintained-image.ts";
import { quiescingFlags, quiescingOf } from "./quiesce.ts";
import { resize } from "./resize.ts";
import {
  createSnapshot,
  protectSnapshot,
  removeSnapshot,
  renameSnapshot,
  unprotectSnapshot,
} from "./snapshots.ts";
import { sparsify } from "./sparsify.ts";

/** Carries out a task as the owner of the image's lock, or for an image without one. */
export async function carryOut(
  image: MaintainedImage,
  task: OwnerTask,
  progress?: OnProgress,
): Promise<void> {
  assertUnderstood(task);
  switch (task.type) {
    case "resize":
      return resize(image, task.size, task.allowShrink, progress);
    case "flatten":
      return flattenAndForget(image, progress);
    case "sparsify":
      return sparsify(image, task.sparseSize, progress);
    case "snapCreate":
      return createSnapshot(image, { ...task, quiescing: quiescingOf(task.flags) }, progress);
    case "snapRemove":
      return removeSnapshot(image, task.name, task.namespace);
    case "snapRename":
      return renameSnapshot(image, task.snapId, task.name);
    case "snapProtect":
      return protectSnapshot(image, task.name);
    case "snapUnprotect":
      return unprotectSnapshot(image, task.name);
    case "rebuildObjectMap":
      return rebuildOwnMap(image, NO_SNAP, progress);
    case "rename": {
      const { pool, header } = image;
      return renameImage(pool, (await nameOf(pool, header.id)) ?? header.name, task.name);
    }
    case "updateFeatures":
      return updateFeatures(image, task.features, task.enable);
  }
}

/** A parent that is in the trash until its clones are gone goes with the last of them. */
async function flattenAndForget(image: MaintainedImage, progress?: OnProgress): Promise<void> {
  const { parentSpec } = image.header;
  await flatten(image, progress);
  const open = (pool: Pool, id: string) => image.openOther(pool, id, { withoutParents: true });
  if (parentSpec !== undefined) await removeForsakenParent(image.cluster, open, parentSpec);
}

/**
 * Rejects a task with unknown flags, instead of carrying it out differently.
 *
 * @throws RbdError SIPHON_RBD_UNSUPPORTED with EOPNOTSUPP
 */
function assertUnderstood(task: OwnerTask): void {
  const isKnown = !("namespace" in task) || task.namespace.type !== "unknown";
  const isOfUser = !("namespace" in task) || task.namespace.type === "user";
  const onlyUsers =
    task.type === "snapRename" || task.type === "snapProtect" || task.type === "snapUnprotect";
  const hasKnownFlags = task.type !== "snapCreate" || (task.flags & ~knownFlags) === 0;
  const keepsNoJournal =
    task.type !== "updateFeatures" || !featureNames(task.features).includes("journaling");
  if (isKnown && (isOfUser || !onlyUsers) && hasKnownFlags && keepsNoJournal) return;
  throw new RbdError("SIPHON_RBD_UNSUPPORTED", `unsupported options of a request for ${task.type}`, {
    errno: -errno.EOPNOTSUPP,
  });
}

const knownFlags = quiescingFlags.skipped | quiescingFlags.attempted;
