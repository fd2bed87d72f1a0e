import { type Cluster, type Pool, ReadOperation, SNAP_DIR, type SnapSet } from "@siphon/rados";
import { hasCode } from "../../errors.ts";
import { poolById } from "../../image/pools.ts";
import type { ImageIo } from "../../io/image-io.ts";
import { readBytes } from "../../io/image-operations.ts";
import { isStale, staleError } from "../../io/presence.ts";
import { ObjectExtents } from "../../striping/extents.ts";
import type { DiffExtent, DiffSource } from "../image-ends.ts";
import { inOrder } from "../in-order.ts";
import { fastDiff, type ObjectChange } from "./fast-diff.ts";
import { clip, type Interval } from "./intervals.ts";
import { objectDiff } from "./object-diff.ts";

export interface ImageDiffOptions {
  /** The id of the earlier snapshot; undefined: since nothing. */
  readonly fromSnapId?: number;
  /** An object with any change counts as changed completely. */
  readonly wholeObject?: boolean | undefined;
  /** Whether a clone's data from its parent counts; default true. */
  readonly withParent?: boolean | undefined;
}

/**
 * The changes of an image, up to its opened snapshot, since an earlier snapshot or since nothing. Like `rbd diff`, it
 * asks the OSDs about each object. Since nothing, the visible parts of a clone's parent count as written.
 */
export class ImageDiff implements DiffSource {
  readonly #cluster: Cluster;
  readonly #io: ImageIo;
  readonly #from: number;
  readonly #wholeObject: boolean;
  readonly #withParent: boolean;
  /** The parent at the time when the object maps were loaded. */
  #parent: ImageIo | undefined;
  readonly #pools = new Map<ImageIo, Promise<Pool>>();

  constructor(
    cluster: Cluster,
    io: ImageIo,
    { fromSnapId = 0, wholeObject = false, withParent = true }: ImageDiffOptions = {},
  ) {
    this.#cluster = cluster;
    this.#io = io;
    this.#from = fromSnapId;
    this.#wholeObject = wholeObject;
    this.#withParent = withParent;
  }

  get size(): number {
    return this.#io.size;
  }

  read(offset: number, length: number, into?: Buffer): Promise<Buffer> {
    return readBytes(this.#io, offset, length, into);
  }

  /** In ascending order; none crosses a boundary of object sets. */
  async *extents(start = 0, upTo = this.size): AsyncGenerator<DiffExtent> {
    const size = Math.min(this.size, upTo);
    const { setSize } = this.#io.layout;
    const sets = (function* () {
      for (let at = start - (start % setSize); at < size; at += setSize) yield at;
    })();
    this.#parent = this.#io.parent;
    const changes = this.#wholeObject ? await fastDiff(this.#cluster, this.#io, this.#from) : undefined;
    const look = (at: number) => this.#look(Math.max(at, start), Math.min(at + setSize, size), changes);
    for await (const extents of inOrder(sets, look)) yield* joined(extents);
  }

  /** Repeats if the parents have changed. */
  async #look(start: number, end: number, known?: readonly ObjectChange[]): Promise<DiffExtent[]> {
    for (let renewals = 0; ; renewals++) {
      try {
        return await this.#changesIn(this.#io, this.#from, start, end, known);
      } catch (error) {
        const { renew } = this.#io;
        if (!isStale(error) || renew === undefined || renewals === mostRenewals) throw error;
        await renew();
      }
    }
  }

  /** Within one or more sets of objects; unordered. */
  async #changesIn(
    io: ImageIo,
    from: number,
    start: number,
    end: number,
    known?: readonly ObjectChange[],
  ): Promise<DiffExtent[]> {
    const cursor = new ObjectExtents();
    cursor.start(io.layout, start, end - start);
    const objects: Promise<DiffExtent[]>[] = [];
    while (cursor.next()) {
      const { objectNumber, objectOffset, length } = cursor;
      const part = { io, objectNumber, start: objectOffset, end: objectOffset + length };
      objects.push(known ? this.#known(part, known[objectNumber]) : this.#asked(part, from));
    }
    return (await Promise.all(objects)).flat();
  }

  /** The changes according to an object's clones. */
  async #asked(part: ObjectPart, from: number): Promise<DiffExtent[]> {
    const { io, objectNumber, start, end } = part;
    const { parent } = io;
    const snapSet = await this.#clonesOf(io, objectNumber);
    // The image was flattened meanwhile: the object has its own data now.
    if (snapSet === undefined && io.parent !== parent) throw staleError(`image ${io.state.name}`);
    const diff = snapSet && objectDiff(snapSet, from, io.snapId, io.layout.objectSize, this.#wholeObject);
    const data = clip(diff?.data ?? [], start, end);
    const zeros = clip(diff?.zeros ?? [], start, end);
    if (from === 0 && data.length + zeros.length === 0) return this.#ofParent(part);
    return [
      ...data.flatMap((interval) => inImage({ ...part, ...interval }, true)),
      ...zeros.flatMap((interval) => inImage({ ...part, ...interval }, false)),
    ];
  }

  /** The changes according to the object maps. */
  async #known(part: ObjectPart, change: ObjectChange = "none"): Promise<DiffExtent[]> {
    if (change !== "none") return inImage(part, change === "data");
    if (this.#from > 0) return [];
    // The parent has changed since the maps were loaded.
    return this.#io.parent === this.#parent ? this.#ofParent(part) : this.#asked(part, this.#from);
  }

  /** The visible parts of the parent where the clone has no object. */
  async #ofParent(part: ObjectPart): Promise<DiffExtent[]> {
    const { io, objectNumber, start, end } = part;
    const { parent } = io;
    const [shown] = clip([{ start, end }], 0, io.parentBytes(objectNumber));
    if (parent === undefined || shown === undefined || !this.#withParent) return [];
    const pieces = inImage({ ...part, ...shown }, true);
    const found = await Promise.all(
      pieces.map(({ offset, length }) => this.#changesIn(parent, 0, offset, offset + length)),
    );
    return found.flat().filter(({ exists }) => exists);
  }

  /** Undefined if the object does not exist. */
  async #clonesOf(io: ImageIo, objectNumber: number): Promise<SnapSet | undefined> {
    const { state } = io;
    let pool = this.#pools.get(io);
    if (pool === undefined) {
      pool = poolById(this.#cluster, state.dataPoolId, state.namespace);
      this.#pools.set(io, pool);
    }
    try {
      const listing = new ReadOperation().listSnaps();
      const { name } = io.targets.get(objectNumber);
      return (await (await pool).operate(name, listing, { snapId: SNAP_DIR })).values[0];
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
      await io.presence?.check();
      return undefined;
    }
  }
}

/** Maximum number of retries; each follows a change of the parents by another client. */
const mostRenewals = 10;

/** A part of an object, in bytes of it. */
interface ObjectPart extends Interval {
  readonly io: ImageIo;
  readonly objectNumber: number;
}

/** The image extents of a part of an object. */
function inImage({ io: { layout }, objectNumber, start, end }: ObjectPart, exists: boolean): DiffExtent[] {
  const extents: DiffExtent[] = [];
  for (let at = start; at < end; ) {
    const length = Math.min(end - at, layout.run(at));
    extents.push({ offset: layout.imageOffset(objectNumber, at), length, exists });
    at += length;
  }
  return extents;
}

/** Sorted, with adjacent extents of the same kind merged. */
function joined(extents: DiffExtent[]): DiffExtent[] {
  const result: DiffExtent[] = [];
  for (const extent of extents.sort((a, b) => a.offset - b.offset)) {
    const last = result.at(-1);
    if (last !== undefined && last.exists === extent.exists && last.offset + last.length === extent.offset) {
      result[result.length - 1] = { ...last, length: last.length + extent.length };
    } else {
      result.push(extent);
    }
  }
  return result;
}
