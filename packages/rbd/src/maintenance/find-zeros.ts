import { type ExtentMap, type Pool, ReadOperation } from "@siphon/rados";
import { unless } from "../errors.ts";
import { poolById } from "../image/pools.ts";
import { dataObject } from "../object-names.ts";
import type { OnProgress } from "../progress.ts";
import { sparseRuns } from "../transfer/sparse.ts";
import { isZeros } from "../zeros.ts";
import type { MaintainedImage } from "./maintained-image.ts";
import { atOnce, eachObject } from "./objects.ts";

/** Space that zeros take in an image. */
export interface FoundZeros {
  /** Bytes in blocks that are all zeros. */
  bytes: number;
  /** Objects with such blocks. */
  objects: number;
  /** Objects that are all zeros. */
  emptyObjects: number;
}

/** Finds allocated blocks of `sparseSize` bytes that are all zeros; changes nothing. */
export async function findZeros(
  image: MaintainedImage,
  sparseSize: number,
  progress?: OnProgress,
): Promise<FoundZeros> {
  const { io, header, cluster } = image;
  const data = await poolById(cluster, header.dataPoolId, header.namespace);
  const found: FoundZeros = { bytes: 0, objects: 0, emptyObjects: 0 };
  const look = async (objectNumber: number) => {
    const kept = await readData(data, dataObject(header.objectPrefix, objectNumber), header.objectSize);
    if (kept === undefined) return;
    const zeros = zeroBytes(kept, sparseSize);
    if (zeros === 0) return;
    found.bytes += zeros;
    found.objects++;
    if (zeros === kept.data.length) found.emptyObjects++;
  };
  await eachObject(0, io.layout.objectCount(header.size), look, { progress, atOnce: atOnce(image) });
  return found;
}

/** The extents of an object, with its data; undefined if it does not exist. */
export async function readData(
  pool: Pool,
  object: string,
  objectSize: number,
): Promise<ExtentMap | undefined> {
  const read = new ReadOperation().sparseRead({ length: objectSize });
  return (await pool.operate(object, read).catch(unless("ENOENT")))?.values[0];
}

/** The possible end of an object: after its last block that is not all zeros. */
export function endOfData({ extents, data }: ExtentMap, sparseSize: number): number {
  let bytes = data.length;
  for (const { offset, length } of extents.toReversed()) {
    const first = bytes - length;
    for (let end = offset + length; end > offset; ) {
      const start = Math.max(offset, Math.floor((end - 1) / sparseSize) * sparseSize);
      if (!isZeros(data, first + start - offset, first + end - offset)) {
        return Math.ceil(end / sparseSize) * sparseSize;
      }
      end = start;
    }
    bytes = first;
  }
  return 0;
}

function zeroBytes({ extents, data }: ExtentMap, sparseSize: number): number {
  let zeros = 0;
  let at = 0;
  for (const { length } of extents) {
    for (const { start, end, isZero } of sparseRuns(data.subarray(at, at + length), sparseSize)) {
      if (isZero) zeros += end - start;
    }
    at += length;
  }
  return zeros;
}
