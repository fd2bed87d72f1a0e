import type { MaintainedImage } from "./maintained-image.ts";

/** A snapshot that was removed while it had clones is gone for good with the last of them. */
export async function removeIfForsaken(image: MaintainedImage, snapId: number): Promise<void> {
  const snapshot = image.header.snapshots.get(snapId);
  if (snapshot?.namespace.type !== "trash" || snapshot.childCount > 0) return;
  const { name, namespace } = snapshot;
  const id = await image.requests.newId();
  await image.requests.perform({ type: "snapRemove", id, name, namespace });
}

/** Removes those that are still there because somebody crashed who had taken the last clone from them. */
export async function removeForsaken(image: MaintainedImage): Promise<void> {
  for (const { id } of [...image.header.snapshots.values()]) await removeIfForsaken(image, id);
}
