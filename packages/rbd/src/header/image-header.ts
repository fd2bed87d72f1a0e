import type { GroupSpec } from "../cls/group.ts";
import type { ParentSpec } from "../cls/parent.ts";
import type { SnapshotNamespace } from "../cls/snapshot.ts";
import type { ImageState, Snapshot } from "../image-state.ts";

/**
 * RBD_OPERATION_FEATURE_* (src/include/rbd/features.h): features that clients must know before they change an image.
 */
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

/** The content of a header: the state for I/O, and information for people. */
export interface ImageHeader extends ImageState {
  readonly snapshots: ReadonlyMap<number, HeaderSnapshot>;
  /** Features that a client must know to read, or to write. */
  readonly incompatible: { readonly toRead: number; readonly toWrite: number };
  /** `opFeature`s. */
  readonly opFeatures: number;
  readonly order: number;
  /** Images of format 1 can be read, renamed and removed. */
  readonly format: 1 | 2;
  readonly created: Date;
  readonly accessed: Date;
  readonly modified: Date;
  /** The group of the image, in the image's namespace. */
  readonly group: GroupSpec | undefined;
  /** Set as long as the head or a snapshot has a parent. */
  readonly parentSpec: ParentSpec | undefined;
}

export const snapshotsByAge = (header: ImageHeader): HeaderSnapshot[] =>
  [...header.snapshots.values()].sort((a, b) => a.id - b.id);

/** Searches user snapshots; undefined if there is none. */
export function userSnapshot(header: ImageHeader, name: string): HeaderSnapshot | undefined {
  return snapshotOf(header, name, "user");
}

/** Searches snapshots of one type; undefined if there is none. */
export function snapshotOf(
  header: ImageHeader,
  name: string,
  type: SnapshotNamespace["type"],
): HeaderSnapshot | undefined {
  return snapshotsByAge(header).find(
    (snapshot) => snapshot.name === name && snapshot.namespace.type === type,
  );
}
