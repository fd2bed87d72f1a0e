import { ObjectOperation, type With } from "./operation.ts";
import {
  type ChecksumRange,
  type Checksums,
  type ChecksumType,
  checksum,
  type ExtentMap,
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
 * Reads one object in several ways at once, in one state of it.
 *
 * ```ts
 * const { values } = await pool.operate("o", new ReadOperation().stat().read({ length: 100 }).getXattr("owner"));
 * const [{ size }, head, owner] = values;
 * ```
 */
export class ReadOperation<Values extends unknown[] = []> extends ObjectOperation<Values> {
  /**
   * @param range.into takes the bytes, and says how many at most unless `length` does; the value is then a part of it
   */
  read(range: ReadRange & { into?: Uint8Array } = {}): With<this, Buffer> {
    return this.add(read(range));
  }

  /** Only what was written, and where. */
  sparseRead(range: ReadRange = {}): With<this, ExtentMap> {
    return this.add(sparseRead(range));
  }

  stat(): With<this, Stat> {
    return this.add(stat());
  }

  /** Computed by the OSD. */
  checksum(type: ChecksumType, range: ChecksumRange): With<this, Checksums> {
    return this.add(checksum(type, range));
  }

  /** The clones that preserve snapshots of the object; with `snap: SNAP_DIR` only. */
  listSnaps(): With<this, SnapSet> {
    return this.add(listSnaps());
  }

  listWatchers(): With<this, Watcher[]> {
    return this.add(listWatchers());
  }

  getXattr(name: string): With<this, Buffer> {
    return this.add(getXattr(name));
  }

  getXattrs(): With<this, Map<string, Buffer>> {
    return this.add(getXattrs());
  }

  getOmapHeader(): With<this, Buffer> {
    return this.add(getOmapHeader());
  }

  getOmapKeys(range: Omit<OmapRange, "prefix"> = {}): With<this, OmapKeysPage> {
    return this.add(getOmapKeys(range));
  }

  getOmapValues(range: OmapRange = {}): With<this, OmapPage> {
    return this.add(getOmapValues(range));
  }

  /** Keys that are not there are left out. */
  getOmapValuesByKeys(keys: Iterable<string>): With<this, Map<string, Buffer>> {
    return this.add(getOmapValuesByKeys(keys));
  }
}
