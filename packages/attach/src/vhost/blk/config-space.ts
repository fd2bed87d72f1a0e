import type { BlockDevice } from "../../block-device.ts";
import { ringFeature } from "../protocol/codes.ts";

/** Bits of virtio's block device; source: virtio 1.2, 5.2.3. */
export const blkFeature = {
  segMax: 1n << 2n,
  readOnly: 1n << 5n,
  blockSize: 1n << 6n,
  flush: 1n << 9n,
  topology: 1n << 10n,
  configWce: 1n << 11n,
  multiQueue: 1n << 12n,
  discard: 1n << 13n,
  writeZeroes: 1n << 14n,
} as const;

export const sectorBytes = 512;
/** Maximum number of ranges in one discard or write-zeroes request. */
export const mostRanges = 64;
/** Maximum length of a range: with 32 MiB a discard does not occupy the device for long. */
export const mostRangeBytes = 32 << 20;
const mostRangeSectors = mostRangeBytes / sectorBytes;
/** Maximum number of segments: with the header and the status, it fills a ring of 128 descriptors, QEMU's smallest. */
const mostSegments = 126;

/** All features that such a device offers. */
export function offeredFeatures({ readOnly, volatile }: BlockDevice): bigint {
  const { segMax, blockSize, flush, topology, configWce, multiQueue, discard, writeZeroes } = blkFeature;
  const { logAll, indirectDesc, eventIdx, protocolFeatures, version1 } = ringFeature;
  const always = segMax | blockSize | flush | topology | multiQueue;
  const rings = logAll | indirectDesc | eventIdx | protocolFeatures | version1;
  if (readOnly) return always | rings | blkFeature.readOnly;
  // QEMU does not tell the next server the driver's choice, so the choice must not matter.
  return always | rings | discard | writeZeroes | (volatile ? 0n : configWce);
}

/*
 * struct virtio_blk_config, virtio 1.2, 5.2.4: u64 capacity (in sectors of 512), u32 size_max, u32 seg_max, u16 cylinders,
 * u8 heads, u8 sectors, u32 blk_size, u8 physical_block_exp, u8 alignment_offset, u16 min_io_size, u32 opt_io_size (both in blocks),
 * u8 writeback, u8, u16 num_queues, u32 max_discard_sectors, u32 max_discard_seg, u32 discard_sector_alignment,
 * u32 max_write_zeroes_sectors, u32 max_write_zeroes_seg, u8 write_zeroes_may_unmap, u8[3]
 */
const configBytes = 60;
export const writebackAt = 32;

/** The configuration space as the driver reads it. */
export function configSpace(
  device: BlockDevice,
  { blockSize, queues, writeback }: { blockSize: number; queues: number; writeback: boolean },
): Buffer {
  const config = Buffer.alloc(configBytes);
  config.writeBigUInt64LE(BigInt(Math.floor(device.size / sectorBytes)), 0);
  config.writeUInt32LE(mostSegments, 12);
  config.writeUInt32LE(blockSize, 20);
  // A smaller write makes the device read and rewrite the block: Linux aligns partitions and file systems to this size.
  const physical = Math.max(blockSize, device.writeUnit ?? blockSize);
  config.writeUInt8(Math.log2(physical / blockSize), 24);
  config.writeUInt16LE(physical / blockSize, 26);
  config.writeUInt32LE(Math.max(1, Math.floor(device.optimalIoSize / blockSize)), 28);
  config.writeUInt8(writeback ? 1 : 0, writebackAt);
  config.writeUInt16LE(queues, 34);
  config.writeUInt32LE(mostRangeSectors, 36);
  config.writeUInt32LE(mostRanges, 40);
  config.writeUInt32LE(blockSize / sectorBytes, 44);
  config.writeUInt32LE(mostRangeSectors, 48);
  config.writeUInt32LE(mostRanges, 52);
  config.writeUInt8(1, 56);
  return config;
}
