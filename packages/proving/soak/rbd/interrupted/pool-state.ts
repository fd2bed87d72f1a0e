import type { Pool } from "@siphon/rados";
import { hasCode } from "../../../../rbd/src/errors.ts";
import { childrenObject, directoryObject, trashObject } from "../../../../rbd/src/object-names.ts";

/**
 * Everything that RBD stores in a pool, except the content of data objects: the objects' names, and the content of the directory, the
 * trash, the lists of children and the headers. One line per item: `rbd_id.disk`, or `rbd_directory name_disk=<hex>`.
 */
export type PoolState = ReadonlySet<string>;

export async function poolState(pool: Pool): Promise<PoolState> {
  const lines = new Set<string>();
  for await (const { name } of pool.listObjects()) lines.add(name);
  const told = [...lines].filter((name) => lists.has(name) || name.startsWith("rbd_header."));
  await Promise.all(
    told.map(async (object) => {
      try {
        for await (const [key, value] of pool.omapEntries(object)) {
          // Timestamps change when an image is read.
          if (!key.endsWith("_timestamp")) lines.add(`${object} ${key}=${value.toString("hex")}`);
        }
      } catch (error) {
        if (!hasCode(error, "ENOENT")) throw error;
      }
    }),
  );
  return lines;
}

/** Lines that are only in the first state. */
export function only(state: PoolState, other: PoolState): string[] {
  return [...state].filter((line) => !other.has(line)).toSorted();
}

/** Numbers of images and of their parts. */
export interface Remains {
  dataObjects: number;
  headers: number;
  objectMaps: number;
  /** rbd_id objects: the names by which images are opened. */
  names: number;
  /** Entries of the directory: the names by which images are listed. */
  entries: number;
  trashed: number;
  /** Clones whose headers name a parent. */
  parents: number;
  /** Lists of children that have changed. */
  children: number;
  snapshots: number;
}

/** The parts that are not in `before`. */
export function remains(state: PoolState, before: PoolState): Remains {
  const lines = only(state, before);
  const count = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length;
  // Header lines of the permanent images also contain the number of their clones.
  const isNew = (line: string) => !before.has(line.slice(0, line.indexOf(" ")));
  return {
    dataObjects: count(/^rbd_data\./),
    headers: count(/^rbd_header\.\w+$/),
    objectMaps: count(/^rbd_object_map\.\w+$/),
    names: count(/^rbd_id\./),
    entries: count(/^rbd_directory name_/),
    trashed: count(/^rbd_trash id_/),
    parents: count(/^rbd_header\.\w+ parent=/),
    children: count(/^(rbd_children |rbd_header\.\w+ snap_children_)/),
    snapshots: lines.filter((line) => /^rbd_header\.\w+ snapshot_/.test(line) && isNew(line)).length,
  };
}

export function minus(all: Remains, others: Remains): Remains {
  const left = { ...all };
  for (const key of Object.keys(left) as (keyof Remains)[]) left[key] -= others[key];
  return left;
}

const lists: ReadonlySet<string> = new Set([directoryObject, trashObject, childrenObject]);
