import { noSnapshots, type Pool } from "@siphon/rados";
import { Reader, Writer } from "@siphon/wire";
import { protection } from "../cls/snapshot.ts";
import { RbdError } from "../errors.ts";
import { headerObject } from "../object-names.ts";
import type { HeaderSnapshot, ImageHeader } from "./image-header.ts";

/**
 * Reads the header of an image of format 1, which is one object's data.
 *
 * @throws RadosError ENOENT
 */
export async function readOldHeader(pool: Pool, id: string, name: string): Promise<ImageHeader> {
  const bytes = await pool.read(headerObject(id));
  return {
    ...decodeOldHeader(bytes, name),
    id,
    poolId: pool.id,
    namespace: pool.namespace,
    dataPoolId: pool.id,
  };
}

/**
 * struct rbd_obj_header_ondisk (src/include/rbd_types.h): text, 40 bytes; the objects' prefix, 24; "RBD\0"; version, 8; u8 order, 3 more;
 * u64 size, u64 id of the newest snapshot, u32 snapshots, u32, u64 bytes of their names; of each snapshot, the newest first, u64 id, u64
 * size; then their names, which end with NUL.
 */
export function decodeOldHeader(
  bytes: Buffer,
  name: string,
): Omit<ImageHeader, "id" | "poolId" | "namespace" | "dataPoolId"> {
  const r = new Reader(bytes, `header of image ${name}`);
  r.raw(40);
  const objectPrefix = untilNul(r.raw(24));
  const signature = r.raw(4).toString("latin1");
  if (signature !== "RBD\0") {
    throw new RbdError("SIPHON_RBD_UNSUPPORTED", `${name}.rbd is not the header of an image of format 1`);
  }
  r.raw(8);
  const order = r.u8();
  r.raw(3);
  const size = r.u64Number();
  const seq = r.u64Number();
  const count = r.u32();
  r.u32();
  const nameBytes = r.u64Number();
  const rows = Array.from({ length: count }, () => ({ id: r.u64Number(), size: r.u64Number() }));
  const names = r.raw(nameBytes).toString("utf8").split("\0");
  const snapshots = new Map(
    rows
      .map((row, index): [number, HeaderSnapshot] => [row.id, oldSnapshot(row.id, row.size, names[index]!)])
      .reverse(),
  );
  const objectSize = 2 ** order;
  const never = new Date(0);
  return {
    ...{ name, format: 1, objectPrefix, order, objectSize, stripeUnit: objectSize, stripeCount: 1 },
    ...{ features: 0, incompatible: { toRead: 0, toWrite: 0 }, flags: 0, opFeatures: 0, size, snapshots },
    snapContext: seq === 0 ? noSnapshots : { seq, snaps: rows.map(({ id }) => id) },
    ...{ parent: undefined, parentSpec: undefined, group: undefined },
    ...{ created: never, accessed: never, modified: never },
  };
}

/** The header of an image without snapshots. */
export function encodeOldHeader({
  objectPrefix,
  order,
  size,
}: Pick<ImageHeader, "objectPrefix" | "order" | "size">): Buffer {
  const w = new Writer();
  w.raw(padded("<<< Rados Block Device Image >>>\n", 40)).raw(padded(objectPrefix, 24));
  w.raw(padded("RBD", 4)).raw(padded("001.005", 8));
  w.u8(order).u8(0).u8(0).u8(0);
  return w.u64(size).u64(0).u32(0).u32(0).u64(0).finish();
}

function padded(text: string, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.write(text, "latin1");
  return bytes;
}

function oldSnapshot(id: number, size: number, name: string): HeaderSnapshot {
  return {
    ...{ id, name, size, flags: 0, isProtected: false, protection: protection.unprotected },
    ...{ parent: undefined, namespace: { type: "user" }, created: new Date(0), childCount: 0 },
  };
}

function untilNul(bytes: Buffer): string {
  const text = bytes.toString("latin1");
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}
