import {
  type Cluster,
  NO_SNAP,
  type Pool,
  RadosError,
  ReadOperation,
  SNAP_DIR,
  type SnapSet,
} from "@siphon/rados";
import type { Image } from "@siphon/rbd";
import type { Extent, ExtentSource } from "../extent-source.ts";
import { changesBetween, existsAt } from "./snap-set.ts";

/**
 * What the objects of an image say about its extents: each is asked for its clones (list-snaps). No lock is needed, and nothing is read.
 *
 * What a parent may have is told as data, and an image whose stripes are smaller than its objects as data throughout: a client that copies it
 * then copies more than it had to.
 */
export class RbdExtents implements ExtentSource {
  readonly #image: Image;
  readonly #data: Pool;

  static async of(cluster: Cluster, image: Image): Promise<RbdExtents> {
    const { dataPoolId, namespace } = image.header;
    const name = cluster.osdmap.poolName(dataPoolId);
    if (name === undefined) throw new RadosError("ENOENT", `pool ${dataPoolId} is there no more`);
    return new RbdExtents(image, await cluster.pool(name, { namespace }));
  }

  private constructor(image: Image, data: Pool) {
    this.#image = image;
    this.#data = data;
  }

  snapshotNames(): readonly string[] {
    const { snapId = Number.POSITIVE_INFINITY } = this.#image;
    const snapshots = [...this.#image.header.snapshots.values()];
    return snapshots.filter(({ id }) => id < snapId).map(({ name }) => name);
  }

  allocation(offset: number, length: number): Promise<readonly Extent[]> {
    const state = this.#image.snapId ?? NO_SNAP;
    return this.#extents(
      offset,
      length,
      (snapSet, objectNumber) => {
        const size = existsAt(snapSet, state);
        if (size !== undefined) return [{ kind: "data", length: size }];
        return [{ kind: "data", length: this.#parentBytes(objectNumber) }];
      },
      "zero",
    );
  }

  changedSince(snapshot: string, offset: number, length: number): Promise<readonly Extent[]> {
    const from = [...this.#image.header.snapshots.values()].find(({ name }) => name === snapshot);
    if (from === undefined) throw new RadosError("ENOENT", `snapshot ${snapshot} is there no more`);
    const to = this.#image.snapId ?? NO_SNAP;
    return this.#extents(offset, length, (snapSet) => changesBetween(snapSet, from.id, to), "same");
  }

  /**
   * @param ofObject what an object says of its bytes from its start on
   * @param beyond what the bytes behind that are
   */
  async #extents(
    offset: number,
    length: number,
    ofObject: (snapSet: SnapSet | undefined, objectNumber: number) => Extent[],
    beyond: Extent["kind"],
  ): Promise<readonly Extent[]> {
    const { objectSize, stripeCount, stripeUnit } = this.#image.header;
    if (stripeCount !== 1 || stripeUnit !== objectSize) return [{ kind: "data", length }];
    const first = Math.floor(offset / objectSize);
    const last = Math.floor((offset + length - 1) / objectSize);
    const count = Math.min(last - first + 1, mostObjects);
    const snapSets = await this.#snapSets(first, count);
    const extents: Extent[] = [];
    for (let i = 0; i < count; i++) {
      const start = (first + i) * objectSize;
      const from = Math.max(offset - start, 0);
      const to = Math.min(offset + length - start, objectSize);
      cut([...ofObject(snapSets[i], first + i), { kind: beyond, length: objectSize }], from, to, extents);
    }
    return extents;
  }

  async #snapSets(first: number, count: number): Promise<(SnapSet | undefined)[]> {
    const snapSets = new Array<SnapSet | undefined>(count);
    let next = 0;
    const ask = async (): Promise<void> => {
      for (let i = next++; i < count; i = next++) snapSets[i] = await this.#snapSet(first + i);
    };
    await Promise.all(Array.from({ length: Math.min(count, atOnce) }, ask));
    return snapSets;
  }

  /** Undefined where there is no object at all. */
  async #snapSet(objectNumber: number): Promise<SnapSet | undefined> {
    const object = `${this.#image.header.objectPrefix}.${objectNumber.toString(16).padStart(16, "0")}`;
    try {
      const { values } = await this.#data.operate(object, new ReadOperation().listSnaps(), {
        snapId: SNAP_DIR,
      });
      return values[0];
    } catch (error) {
      if (error instanceof RadosError && error.code === "ENOENT") return undefined;
      throw error;
    }
  }

  #parentBytes(objectNumber: number): number {
    const { header, snapId } = this.#image;
    const parent = snapId === undefined ? header.parent : header.snapshots.get(snapId)?.parent;
    const left = (parent?.overlap ?? 0) - objectNumber * header.objectSize;
    return Math.min(Math.max(left, 0), header.objectSize);
  }
}

/** Adds what lies from `from` up to `to` of a row of extents. */
function cut(row: readonly Extent[], from: number, to: number, into: Extent[]): void {
  let at = 0;
  for (const { kind, length } of row) {
    const start = Math.max(at, from);
    const end = Math.min(at + length, to);
    if (end > start) into.push({ kind, length: end - start });
    at += length;
  }
}

/** Of one answer, and asked at the same time. */
const mostObjects = 1024;
const atOnce = 64;
