import type { GroupSpec } from "../cls/group.ts";
import type { ParentSpec } from "../cls/parent.ts";
import type { SnapshotNamespace } from "../cls/snapshot.ts";
import type { ImageState, Snapshot } from "../image-state.ts";

/** RBD_OPERATION_FEATURE_* (src/include/rbd/features.h): what others must know of before they change an image. */
export const opFeature = { cloneParent: 1, cloneChild: 2, group: 4, snapTrash: 8 } as const;

/** RBD_FLAG_*. */
export const imageFlag = { objectMapInvalid: 1, fastDiffInvalid: 2 } as const;

export interface HeaderSnapshot extends Snapshot {
  readonly namespace: SnapshotNamespace;
  readonly created: Date;
  /** `protection`. */
  readonly protection: number;
  /** Clones of the second version. */
  readonly childCount: number;
}

/** All that the header says: the state that I/O needs, and what people want to know. */
export interface ImageHeader extends ImageState {
  readonly snapshots: ReadonlyMap<number, HeaderSnapshot>;
  /** Features that this version of siphon must know of to read, or to write. */
  readonly incompatible: { readonly toRead: number; readonly toWrite: number };
  /** `opFeature`s. */
  readonly opFeatures: number;
  readonly order: number;
  /** Those of format 1 are only read. */
  readonly format: 1 | 2;
  readonly created: Date;
  readonly accessed: Date;
  readonly modified: Date;
  /** That the image is in; in its own namespace. */
  readonly group: GroupSpec | undefined;
  /** As long as the head or a snapshot shows a parent. */
  readonly parentSpec: ParentSpec | undefined;
}

export const snapshotsByAge = (header: ImageHeader): HeaderSnapshot[] =>
  [...header.snapshots.values()].sort((a, b) => a.id - b.id);

/** Among those that people make; undefined for none of that name. */
export function userSnapshot(header: ImageHeader, name: string): HeaderSnapshot | undefined {
  return snapshotOf(header, name, "user");
}

/** Among those of one type; undefined for none of that name. */
export function snapshotOf(
  header: ImageHeader,
  name: string,
  type: SnapshotNamespace["type"],
): HeaderSnapshot | undefined {
  return snapshotsByAge(header).find(
    (snapshot) => snapshot.name === name && snapshot.namespace.type === type,
  );
}
