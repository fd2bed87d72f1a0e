/** States of an object in an object map (OBJECT_* in src/include/rbd/object_map_types.h). */
export const objectState = {
  nonexistent: 0,
  exists: 1,
  /** Being removed: it may or may not exist. */
  pending: 2,
  /** Exists, unchanged since the last snapshot. */
  existsClean: 3,
} as const;
