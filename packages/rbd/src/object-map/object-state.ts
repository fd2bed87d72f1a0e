/** States of an object in an object map (OBJECT_* in src/include/rbd/object_map_types.h). */
export const objectState = {
  nonexistent: 0,
  exists: 1,
  /** Being removed: it may be there or not. */
  pending: 2,
  /** There, and not changed since the last snapshot. */
  existsClean: 3,
} as const;
