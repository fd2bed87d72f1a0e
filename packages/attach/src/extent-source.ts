/** A range of bytes of one kind. */
export interface Extent {
  /** In bytes, more than 0. */
  readonly length: number;
  /**
   * Kind of an allocation: `data`, or `zero` for bytes that take no space and are read as zeros.
   * Kind of a difference: `data` for changed bytes, `zero` for changed bytes that are now read as zeros, `same` for unchanged ones.
   */
  readonly kind: "data" | "zero" | "same";
}

/**
 * The known contents of a disk, without reading them, for backup tools. Extents come in order, and the first begins at
 * `offset`. They may end before `offset + length`, because the search costs time, but there is at least one.
 */
export interface ExtentSource {
  /** Names of the snapshots that a difference may start from. */
  snapshotNames(): readonly string[];
  allocation(offset: number, length: number): Promise<readonly Extent[]>;
  /** The changes since the snapshot of that name. */
  changedSince(snapshot: string, offset: number, length: number): Promise<readonly Extent[]>;
}
