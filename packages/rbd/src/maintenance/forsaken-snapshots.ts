import { errno } from "@siphon/wire";
import { errnoOf } from "../errors.ts";
import type { HeaderSnapshot } from "../header/image-header.ts";
import type { MaintainedImage } from "./maintained-image.ts";

/**
 * Has the lock's owner remove a snapshot. librbd moves a snapshot to the trash before it removes it
 * (src/librbd/operation/SnapshotRemoveRequest.cc). If it dies in between, the name is gone, but the snapshot and its
 * data remain.
 */
export async function removeThroughOwner(
  image: MaintainedImage,
  snapshot: Pick<HeaderSnapshot, "id" | "name" | "namespace">,
): Promise<void> {
  await performRemoval(image, snapshot);
  await removeIfForsaken(image, snapshot.id);
}

/** A snapshot that was removed while it had clones is deleted with the last of them. */
export async function removeIfForsaken(image: MaintainedImage, snapId: number): Promise<void> {
  const snapshot = image.header.snapshots.get(snapId);
  if (snapshot?.namespace.type !== "trash" || snapshot.childCount > 0) return;
  try {
    await performRemoval(image, snapshot);
  } catch (error) {
    // The client that removed the last clone was faster.
    if (errnoOf(error) !== -errno.ENOENT) throw error;
  }
}

/** Removes snapshots that remained because the client that removed their last clone crashed. */
export async function removeForsaken(image: MaintainedImage): Promise<void> {
  for (const { id } of [...image.header.snapshots.values()]) await removeIfForsaken(image, id);
}

async function performRemoval(
  { requests }: MaintainedImage,
  { name, namespace }: Pick<HeaderSnapshot, "name" | "namespace">,
): Promise<void> {
  await requests.perform({ type: "snapRemove", id: await requests.newId(), name, namespace });
}
