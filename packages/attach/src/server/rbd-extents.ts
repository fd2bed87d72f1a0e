import type { DiffSource, Image } from "@siphon/rbd";
import type { Extent, ExtentSource } from "../extent-source.ts";

/** Extents of an image, from its objects, without a lock and without reading data. */
export class RbdExtents implements ExtentSource {
  readonly #image: Image;
  readonly #dataOffset: number;

  /** @param dataOffset offset of the disk in the image, in bytes */
  constructor(image: Image, dataOffset = 0) {
    this.#image = image;
    this.#dataOffset = dataOffset;
  }

  /** Names of snapshots older than the served state. */
  snapshotNames(): readonly string[] {
    const { snapId = Number.POSITIVE_INFINITY, header } = this.#image;
    return [...header.snapshots.values()].filter(({ id }) => id < snapId).map(({ name }) => name);
  }

  async allocation(offset: number, length: number): Promise<readonly Extent[]> {
    return within(this.#image.diff(), this.#dataOffset + offset, length, "zero");
  }

  async changedSince(snapshot: string, offset: number, length: number): Promise<readonly Extent[]> {
    return within(this.#image.diff({ from: snapshot }), this.#dataOffset + offset, length, "same");
  }
}

/**
 * @param diff extents of the image's diff, in ascending order
 * @param between kind of the bytes between these extents
 */
async function within(
  diff: DiffSource,
  offset: number,
  length: number,
  between: Extent["kind"],
): Promise<readonly Extent[]> {
  const end = offset + Math.min(length, mostBytes);
  const extents: Extent[] = [];
  let at = offset;
  const add = (kind: Extent["kind"], upTo: number): void => {
    if (upTo > at) extents.push({ kind, length: upTo - at });
    at = Math.max(at, upTo);
  };
  for await (const found of diff.extents(offset, end)) {
    if (found.offset >= end || extents.length >= mostExtents) break;
    add(between, found.offset);
    add(found.exists ? "data" : "zero", Math.min(found.offset + found.length, end));
  }
  if (extents.length < mostExtents) add(between, end);
  return extents;
}

/** Bytes that one answer covers at most: each object may cost a request to an OSD. */
const mostBytes = 16 * 2 ** 30;
const mostExtents = 8192;
