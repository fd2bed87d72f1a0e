import { Region } from "@siphon/rados/engine";

/** Bytes, at most, of an incomplete option that are kept in front of the next read. */
export const carryBytes = 128 << 10;
const readBytes = 512 << 10;

/**
 * The memory that the sockets of one thread are read into: one buffer for all, since a read is parsed before the next one
 * happens. The rest of an incomplete request waits with its connection and is put in front of the next read.
 *
 *     0            128 KiB                    640 KiB
 *     | carry      | read area of all sockets |
 */
export class ReceiveMemory {
  readonly region = Region.allocate(carryBytes + readBytes);
  readonly readArea = this.region.bytes.subarray(carryBytes);
}
