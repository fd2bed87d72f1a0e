import type { SnapContext } from "@siphon/rados";

/** Feature bits of an image (src/include/rbd/features.h). */
export const imageFeature = {
  layering: 1,
  striping: 2,
  exclusiveLock: 4,
  objectMap: 8,
  fastDiff: 16,
  deepFlatten: 32,
  journaling: 64,
  dataPool: 128,
  operations: 256,
  migrating: 512,
  nonPrimary: 1024,
} as const;

/** A clone's parent: the snapshot that supplies the data of missing objects. */
export interface ParentLink {
  readonly poolId: number;
  readonly namespace: string;
  readonly imageId: string;
  readonly snapId: number;
  /** Overlap: bytes of the clone, from its start, that may come from the parent. */
  readonly overlap: number;
}

export interface Snapshot {
  readonly id: number;
  readonly name: string;
  /** Size of the image when the snapshot was taken, in bytes. */
  readonly size: number;
  readonly flags: number;
  readonly isProtected: boolean;
  readonly parent: ParentLink | undefined;
}

/** The content of an image's header. Immutable: a change makes a new object. */
export interface ImageState {
  readonly id: string;
  readonly name: string;
  readonly poolId: number;
  readonly namespace: string;
  /** Pool of the data objects: the image's own, unless feature data-pool names another. */
  readonly dataPoolId: number;
  /** `rbd_data.<id>`, or `rbd_data.<pool>.<id>` with a data pool; followed by `.` and the object's number, 16 digits. */
  readonly objectPrefix: string;
  /** Bytes; a power of two. */
  readonly objectSize: number;
  readonly stripeUnit: number;
  readonly stripeCount: number;
  /** `imageFeature`s. */
  readonly features: number;
  /** RBD_FLAG_*: 1 object map invalid, 2 fast-diff invalid. */
  readonly flags: number;
  /** Size of the head, in bytes. */
  readonly size: number;
  readonly snapContext: SnapContext;
  /** By id. */
  readonly snapshots: ReadonlyMap<number, Snapshot>;
  /** Parent of the head. */
  readonly parent: ParentLink | undefined;
}
