import { protection } from "../cls/snapshot.ts";
import { type ImageHeader, snapshotOf, userSnapshot } from "../header/image-header.ts";
import type { NotifyMessage } from "./notify-message.ts";

/** A change that the lock's owner makes at another client's request. */
export type OwnerTask = Extract<
  NotifyMessage,
  {
    type:
      | "resize"
      | "flatten"
      | "sparsify"
      | "snapCreate"
      | "snapRemove"
      | "snapRename"
      | "snapProtect"
      | "snapUnprotect"
      | "rebuildObjectMap"
      | "rename"
      | "updateFeatures";
  }
>;

/** Whether a header shows that a task was carried out. */
export function isDone(header: ImageHeader, task: OwnerTask): boolean {
  switch (task.type) {
    case "resize":
      return header.size === task.size;
    case "flatten":
      return header.parent === undefined;
    case "updateFeatures":
      return (header.features & task.features) === (task.enable ? task.features : 0);
    case "sparsify":
    case "rebuildObjectMap":
    case "rename":
      return false;
    case "snapCreate":
      return snapshotOf(header, task.name, task.namespace.type) !== undefined;
    case "snapRemove":
      return snapshotOf(header, task.name, task.namespace.type) === undefined;
    case "snapRename":
      return header.snapshots.get(task.snapId)?.name === task.name;
    case "snapProtect":
    case "snapUnprotect": {
      const wanted = task.type === "snapProtect" ? protection.protected : protection.unprotected;
      return userSnapshot(header, task.name)?.protection === wanted;
    }
  }
}
