import { NO_SNAP } from "@siphon/rados";
import { setFeatures, setFlags } from "../cls/image.ts";
import { unlock } from "../cls/lock.ts";
import { changeAll } from "../cls/run.ts";
import { RbdError, unless } from "../errors.ts";
import { imageFlag, snapshotsByAge } from "../header/image-header.ts";
import { featureNames } from "../image/features.ts";
import { imageFeature } from "../image-state.ts";
import { imageLockName, managedLock } from "../lock/locker.ts";
import { Layout } from "../striping/layout.ts";
import type { MaintainedImage } from "./maintained-image.ts";

const { exclusiveLock, objectMap, fastDiff, journaling, deepFlatten } = imageFeature;
const mapFeatures = objectMap | fastDiff;
/** RBD_FEATURES_MUTABLE and RBD_FEATURES_DISABLE_ONLY, limited to what siphon supports. */
const enabled = exclusiveLock | mapFeatures;
const disabled = enabled | deepFlatten;

/**
 * Checks a requested change of features, and completes it (src/librbd/Operations.cc): object-map and fast-diff change
 * together.
 *
 * @throws RbdError SIPHON_RBD_INVALID for a change that the image does not allow
 */
export function planFeatures(current: number, asked: number, enable: boolean): number {
  const refused = (features: number, why: string) =>
    new RbdError("SIPHON_RBD_INVALID", `${featureNames(features).join(", ")}: ${why}`);
  if (asked === 0) throw new RbdError("SIPHON_RBD_INVALID", "no feature given");
  if ((asked & journaling) !== 0 && (enable || (current & journaling) !== 0)) {
    throw new RbdError("SIPHON_RBD_UNSUPPORTED", "siphon does not support journals of images", {
      hint: "enable or disable feature journaling with: rbd feature",
    });
  }
  const fixed = asked & ~(enable ? enabled : disabled);
  if (fixed !== 0) throw refused(fixed, `cannot be ${enable ? "enabled" : "disabled"} on an existing image`);
  const same = enable ? asked & current : asked & ~current;
  if (same !== 0) throw refused(same, `already ${enable ? "enabled" : "disabled"}`);
  const changed = (asked & mapFeatures) === 0 ? asked : asked | mapFeatures;
  const after = enable ? current | changed : current & ~changed;
  if ((after & (objectMap | journaling)) !== 0 && (after & exclusiveLock) === 0) {
    throw new RbdError(
      "SIPHON_RBD_INVALID",
      "features object-map, fast-diff and journaling need exclusive-lock",
      {
        hint: enable ? "enable exclusive-lock along with them" : "disable those as well",
      },
    );
  }
  return changed;
}

/** New object maps are invalid until they are rebuilt (src/librbd/operation/EnableFeaturesRequest.cc). */
async function enableFeatures(image: MaintainedImage, features: number): Promise<void> {
  const { header, maps } = image;
  await image.whilePaused(async () => {
    if ((features & mapFeatures) !== 0) {
      await setFlagsOfAll(image, imageFlag.objectMapInvalid | imageFlag.fastDiffInvalid);
    }
    await image.changeHeader(setFeatures(features, features));
    if ((features & mapFeatures) !== 0) {
      const objects = (size: number) => new Layout(header).objectCount(size);
      for (const { id, size } of snapshotsByAge(header)) await maps.create(objects(size), id);
      await maps.create(objects(header.size));
    }
  });
  await image.tell({ type: "headerUpdate" });
}

/** @throws RbdError SIPHON_RBD_INVALID for a change that the image does not allow */
export async function updateFeatures(image: MaintainedImage, asked: number, enable: boolean): Promise<void> {
  const planned = planFeatures(image.header.features, asked, enable);
  await (enable ? enableFeatures(image, planned) : disableFeatures(image, planned));
}

/**
 * Maps are removed before the feature is disabled (src/librbd/operation/DisableFeaturesRequest.cc), the lock after it.
 */
async function disableFeatures(image: MaintainedImage, features: number): Promise<void> {
  const { io, header, maps, pool } = image;
  await image.whilePaused(async () => {
    if ((features & mapFeatures) !== 0) {
      // If this is interrupted, some maps are gone, so all of them are marked invalid first.
      await setFlagsOfAll(image, imageFlag.objectMapInvalid | imageFlag.fastDiffInvalid);
      io.useMap(undefined);
      for (const { id } of snapshotsByAge(header)) await maps.remove(id);
      await maps.remove();
    }
    await image.changeHeader(setFeatures(0, features));
    if ((features & mapFeatures) !== 0) await setFlagsOfAll(image, 0);
    if ((features & exclusiveLock) !== 0) {
      const { cookie } = managedLock(await image.watchCookie());
      await changeAll(pool, image.headerName, [unlock(imageLockName, cookie)]).catch(unless("ENOENT"));
    }
  });
  await image.tell({ type: "headerUpdate" });
}

async function setFlagsOfAll(image: MaintainedImage, flags: number): Promise<void> {
  const mask = imageFlag.objectMapInvalid | imageFlag.fastDiffInvalid;
  for (const snapId of [...image.header.snapContext.snaps, NO_SNAP]) {
    await image.changeHeader(setFlags(flags, mask, snapId));
  }
}
