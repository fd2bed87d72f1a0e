import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { stat } from "node:fs/promises";
import { type Cluster, type Pool, ReadOperation } from "@siphon/rados";
import { unless } from "../../errors.ts";
import { poolById } from "../../image/pools.ts";
import type { Image } from "../../image.ts";
import { eachObject } from "../../maintenance/objects.ts";
import { dataObject } from "../../object-names.ts";

/** The source of a transfer, and whether it is unchanged. */
export interface SourceState {
  /** The same as long as it is the same image, snapshot or file, and of the same size. */
  readonly identity: string;
  /** Bytes. */
  readonly size: number;
  /** Ranges that fingerprints are asked of begin and end at multiples of it. */
  readonly unitBytes: number;
  /** Another one once anything from `start` up to `end` was changed. */
  fingerprint(start: number, end: number): Promise<string>;
}

/**
 * An image that was opened. Snapshots do not change; of an image as it is now, the versions of its objects tell, which each write
 * counts up: one question for each object.
 */
export async function imageState(cluster: Cluster, image: Image): Promise<SourceState> {
  const { header, size, snapId } = image;
  const { objectSize, stripeCount, objectPrefix } = header;
  const place = [cluster.fsid, header.poolId, header.namespace, header.id, snapId ?? "head", size];
  const data = await poolById(cluster, header.dataPoolId, header.namespace);
  const versions = async (start: number, end: number) => {
    const first = start / objectSize;
    // A range that ends with the image may end within a stripe, of which any object may have something.
    const last = Math.ceil(end / (objectSize * stripeCount)) * stripeCount;
    const found = new Array<number>(last - first);
    await eachObject(first, last, async (objectNumber) => {
      found[objectNumber - first] = await versionOf(data, dataObject(objectPrefix, objectNumber));
    });
    return createHash("sha256").update(found.join(" ")).digest("hex");
  };
  return {
    ...{ identity: `image ${place.join("/")}`, size, unitBytes: objectSize * stripeCount },
    fingerprint: snapId === undefined ? versions : async () => "",
  };
}

/** A file: another size, or another time of its last change, and it counts as another. */
export async function fileState(path: string): Promise<SourceState> {
  const { dev, ino, size, mtimeNs }: BigIntStats = await stat(path, { bigint: true });
  const identity = `file ${dev}/${ino}/${size}/${mtimeNs}`;
  return { identity, size: Number(size), unitBytes: 1, fingerprint: async () => "" };
}

/** 0 for an object that is not there. */
async function versionOf(pool: Pool, object: string): Promise<number> {
  const found = await pool.operate(object, new ReadOperation().stat()).catch(unless("ENOENT"));
  return found?.version ?? 0;
}
