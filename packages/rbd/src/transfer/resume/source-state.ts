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
  /** Identifies the image, snapshot or file, including its size. */
  readonly identity: string;
  /** Bytes. */
  readonly size: number;
  /** Fingerprints cover ranges aligned to this. */
  readonly unitBytes: number;
  /** Changes whenever anything from `start` up to `end` changes. */
  fingerprint(start: number, end: number): Promise<string>;
}

/**
 * An open image. Snapshots do not change. For a current image the fingerprint is the versions of its objects, which
 * each write increments: one request per object.
 */
export async function imageState(cluster: Cluster, image: Image): Promise<SourceState> {
  const { header, size, snapId } = image;
  const { objectSize, stripeCount, objectPrefix } = header;
  const place = [cluster.fsid, header.poolId, header.namespace, header.id, snapId ?? "head", size];
  const data = await poolById(cluster, header.dataPoolId, header.namespace);
  const versions = async (start: number, end: number) => {
    const first = start / objectSize;
    // A range at the end of the image may end within a stripe, with parts in any of its objects.
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

/** A file: it counts as changed if its size or its mtime differ. */
export async function fileState(path: string): Promise<SourceState> {
  const { dev, ino, size, mtimeNs }: BigIntStats = await stat(path, { bigint: true });
  const identity = `file ${dev}/${ino}/${size}/${mtimeNs}`;
  return { identity, size: Number(size), unitBytes: 1, fingerprint: async () => "" };
}

/** 0 for a missing object. */
async function versionOf(pool: Pool, object: string): Promise<number> {
  const found = await pool.operate(object, new ReadOperation().stat()).catch(unless("ENOENT"));
  return found?.version ?? 0;
}
