import { opFlag } from "../objecter/op-code.ts";
import type { Op } from "./op.ts";
import { ObjectOperation, type OperationKind, type ValuesOf } from "./operation.ts";
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
import { type TmapChange, updateTmap } from "./operations/tmap.ts";
import { removeXattr, setXattr } from "./operations/xattrs.ts";

/**
 * Makes several changes of one object atomically.
 *
 * ```ts
 * await pool.operate("o", new WriteOperation().create({ exclusive: true }).writeFull(data).setXattr("owner", "me"));
 * ```
 *
 * Data is not copied: it must not change until the operation is done.
 */
export class WriteOperation<Values extends unknown[] = []> extends ObjectOperation<Values, Writing> {
  /** @param options `exclusive` fails with EEXIST if the object exists */
  create({ exclusive = false } = {}): WriteWith<Values, void> {
    return this.#with({ ...create(), flags: exclusive ? opFlag.exclusive : 0 });
  }

  write(offset: number, data: Uint8Array): WriteWith<Values, void> {
    return this.#with(write(offset, data));
  }

  /** Replaces all of the object's bytes. */
  writeFull(data: Uint8Array): WriteWith<Values, void> {
    return this.#with(writeFull(data));
  }

  append(data: Uint8Array): WriteWith<Values, void> {
    return this.#with(append(data));
  }

  /** Fills a range with repeated data; the length is a multiple of the data's. */
  writeSame(offset: number, length: number, data: Uint8Array): WriteWith<Values, void> {
    return this.#with(writeSame(offset, length, data));
  }

  zero(offset: number, length: number): WriteWith<Values, void> {
    return this.#with(zero(offset, length));
  }

  /** Truncates the object to `size`, or extends it with zeros. */
  truncate(size: number): WriteWith<Values, void> {
    return this.#with(truncate(size));
  }

  /** Removes the object. */
  remove(): WriteWith<Values, void> {
    return this.#with(remove());
  }

  /** Sets a hint about the object's size and use; it never fails. */
  allocationHint(hint: AllocationHint): WriteWith<Values, void> {
    return this.#with(allocationHint(hint));
  }

  setXattr(name: string, value: Uint8Array | string): WriteWith<Values, void> {
    return this.#with(setXattr(name, value));
  }

  removeXattr(name: string): WriteWith<Values, void> {
    return this.#with(removeXattr(name));
  }

  setOmapHeader(header: Uint8Array): WriteWith<Values, void> {
    return this.#with(setOmapHeader(header));
  }

  setOmapValues(values: ReadonlyMap<string, Uint8Array>): WriteWith<Values, void> {
    return this.#with(setOmapValues(values));
  }

  removeOmapKeys(keys: Iterable<string>): WriteWith<Values, void> {
    return this.#with(removeOmapKeys(keys));
  }

  /** Removes the keys from `start` up to, not including, `end`. */
  removeOmapKeyRange(start: string, end: string): WriteWith<Values, void> {
    return this.#with(removeOmapKeyRange(start, end));
  }

  /** Removes all keys, values and the header. */
  clearOmap(): WriteWith<Values, void> {
    return this.#with(clearOmap());
  }

  /** Changes a map in the old form, which is an object's data; creates the object. */
  updateTmap(changes: readonly TmapChange[]): WriteWith<Values, void> {
    return this.#with(updateTmap(changes));
  }

  /** Rolls the object back to the snapshot; removes it if it did not exist then. */
  rollback(snapId: number): WriteWith<Values, void> {
    return this.#with(rollback(snapId));
  }

  /** Makes the object a copy of another one, copied by the OSDs. */
  copyFrom(source: CopySource): WriteWith<Values, void> {
    return this.#with(copyFrom(source));
  }

  #with<Value>(op: Op<Value>): WriteWith<Values, Value> {
    this.add(op);
    return this as unknown as WriteWith<Values, Value>;
  }
}

/** A `WriteOperation` once a step that gives a `Value` was added. */
export type WriteWith<Values extends unknown[], Value> = WriteOperation<[...Values, Value]>;

interface Writing extends OperationKind {
  readonly operation: WriteOperation<ValuesOf<this>>;
}
