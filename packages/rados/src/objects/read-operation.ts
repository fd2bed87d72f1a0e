import type { Op } from "./op.ts";
import { ObjectOperation, type OperationKind, type ValuesOf } from "./operation.ts";
import {
  type ChecksumRange,
  type Checksums,
  type ChecksumType,
  checksum,
  type Extent,
  type ExtentMap,
  mapExtents,
  read,
  type Stat,
  sparseRead,
  stat,
} from "./operations/extents.ts";
import {
  getOmapHeader,
  getOmapKeys,
  getOmapValues,
  getOmapValuesByKeys,
  type OmapKeysPage,
  type OmapPage,
  type OmapRange,
} from "./operations/omap.ts";
import { listSnaps, type SnapSet } from "./operations/snaps.ts";
import { listWatchers, type Watcher } from "./operations/watchers.ts";
import { getXattr, getXattrs } from "./operations/xattrs.ts";

/** Bytes of an object; without a length: up to its end. */
export interface ReadRange {
  offset?: number;
  length?: number;
}

/**
 * Reads several aspects of one object in a consistent state.
 *
 * ```ts
 * const { values } = await pool.operate("o", new ReadOperation().stat().read({ length: 100 }).getXattr("owner"));
 * const [{ size }, head, owner] = values;
 * ```
 */
export class ReadOperation<Values extends unknown[] = []> extends ObjectOperation<Values, Reading> {
  /**
   * @param range.into buffer for the bytes, which limits their number unless `length` does; the value is then a part of
   * it
   */
  read(range: ReadRange & { into?: Uint8Array } = {}): ReadWith<Values, Buffer> {
    return this.#with(read(range));
  }

  /** The allocated extents and their data. */
  sparseRead(range: ReadRange = {}): ReadWith<Values, ExtentMap> {
    return this.#with(sparseRead(range));
  }

  /** The allocated extents; not in erasure-coded pools. */
  mapExtents(range: ReadRange = {}): ReadWith<Values, Extent[]> {
    return this.#with(mapExtents(range));
  }

  stat(): ReadWith<Values, Stat> {
    return this.#with(stat());
  }

  /** Computed by the OSD. */
  checksum(type: ChecksumType, range: ChecksumRange): ReadWith<Values, Checksums> {
    return this.#with(checksum(type, range));
  }

  /** The clones that preserve snapshots of the object; with `snap: SNAP_DIR` only. */
  listSnaps(): ReadWith<Values, SnapSet> {
    return this.#with(listSnaps());
  }

  listWatchers(): ReadWith<Values, Watcher[]> {
    return this.#with(listWatchers());
  }

  getXattr(name: string): ReadWith<Values, Buffer> {
    return this.#with(getXattr(name));
  }

  getXattrs(): ReadWith<Values, Map<string, Buffer>> {
    return this.#with(getXattrs());
  }

  getOmapHeader(): ReadWith<Values, Buffer> {
    return this.#with(getOmapHeader());
  }

  getOmapKeys(range: Omit<OmapRange, "prefix"> = {}): ReadWith<Values, OmapKeysPage> {
    return this.#with(getOmapKeys(range));
  }

  getOmapValues(range: OmapRange = {}): ReadWith<Values, OmapPage> {
    return this.#with(getOmapValues(range));
  }

  /** Missing keys are omitted. */
  getOmapValuesByKeys(keys: Iterable<string>): ReadWith<Values, Map<string, Buffer>> {
    return this.#with(getOmapValuesByKeys(keys));
  }

  #with<Value>(op: Op<Value>): ReadWith<Values, Value> {
    this.add(op);
    return this as unknown as ReadWith<Values, Value>;
  }
}

/** A `ReadOperation` once a step that gives a `Value` was added. */
export type ReadWith<Values extends unknown[], Value> = ReadOperation<[...Values, Value]>;

interface Reading extends OperationKind {
  readonly operation: ReadOperation<ValuesOf<this>>;
}
