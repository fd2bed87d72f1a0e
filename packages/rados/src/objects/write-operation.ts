import { opFlag } from "../objecter/op-code.ts";
import { ObjectOperation, type With } from "./operation.ts";
import { type CopySource, copyFrom } from "./operations/copy.ts";
import {
  type AllocationHint,
  allocationHint,
  append,
  create,
  remove,
  truncate,
  write,
  writeFull,
  writeSame,
  zero,
} from "./operations/extents.ts";
import {
  clearOmap,
  removeOmapKeyRange,
  removeOmapKeys,
  setOmapHeader,
  setOmapValues,
} from "./operations/omap.ts";
import { rollback } from "./operations/snaps.ts";
import { removeXattr, setXattr } from "./operations/xattrs.ts";

/**
 * Changes one object in several ways at once: all of them, or none.
 *
 * ```ts
 * await pool.operate("o", new WriteOperation().create({ exclusive: true }).writeFull(data).setXattr("owner", "me"));
 * ```
 *
 * Data is not copied: it must stay as it is until the operation is done.
 */
export class WriteOperation<Values extends unknown[] = []> extends ObjectOperation<Values> {
  /** @param options.exclusive fails with EEXIST where the object is there already */
  create({ exclusive = false } = {}): With<this, void> {
    return this.add({ ...create(), flags: exclusive ? opFlag.exclusive : 0 });
  }

  write(offset: number, data: Uint8Array): With<this, void> {
    return this.add(write(offset, data));
  }

  /** Replaces all of the object's bytes. */
  writeFull(data: Uint8Array): With<this, void> {
    return this.add(writeFull(data));
  }

  append(data: Uint8Array): With<this, void> {
    return this.add(append(data));
  }

  /** Fills a range with the data, over and over; its length is a multiple of the data's. */
  writeSame(offset: number, length: number, data: Uint8Array): With<this, void> {
    return this.add(writeSame(offset, length, data));
  }

  zero(offset: number, length: number): With<this, void> {
    return this.add(zero(offset, length));
  }

  /** Cuts the object off at `size`, or extends it with zeros. */
  truncate(size: number): With<this, void> {
    return this.add(truncate(size));
  }

  /** Removes the object. */
  remove(): With<this, void> {
    return this.add(remove());
  }

  /** Tells the OSD what the object will be; no OSD fails for it. */
  allocationHint(hint: AllocationHint): With<this, void> {
    return this.add(allocationHint(hint));
  }

  setXattr(name: string, value: Uint8Array | string): With<this, void> {
    return this.add(setXattr(name, value));
  }

  removeXattr(name: string): With<this, void> {
    return this.add(removeXattr(name));
  }

  setOmapHeader(header: Uint8Array): With<this, void> {
    return this.add(setOmapHeader(header));
  }

  setOmapValues(values: ReadonlyMap<string, Uint8Array>): With<this, void> {
    return this.add(setOmapValues(values));
  }

  removeOmapKeys(keys: Iterable<string>): With<this, void> {
    return this.add(removeOmapKeys(keys));
  }

  /** Removes the keys from `start` up to, not including, `end`. */
  removeOmapKeyRange(start: string, end: string): With<this, void> {
    return this.add(removeOmapKeyRange(start, end));
  }

  /** Removes all keys, values and the header. */
  clearOmap(): With<this, void> {
    return this.add(clearOmap());
  }

  /** Makes the object what it was at the snapshot; removes it if it was not there. */
  rollback(snapId: number): With<this, void> {
    return this.add(rollback(snapId));
  }

  /** Makes the object a copy of another one of the cluster, moved between OSDs. */
  copyFrom(source: CopySource): With<this, void> {
    return this.add(copyFrom(source));
  }
}
