import { LabError } from "../../errors.ts";
import { Gpt } from "./gpt.ts";
import { type Mbr, type MbrPartition, mbrSector, readMbr, writeMbr } from "./mbr.ts";

/** The partition for measurements: its location, and the sectors to write if it does not exist. */
export interface PartitionPlan {
  number: number;
  /** Sectors of 512 bytes. */
  start: number;
  sectors: number;
  /** Sectors of the partition table to write, in order; none if the partition exists. */
  writes: { sector: number; data: Buffer }[];
}

/** Sectors at a disk's start that a plan needs. */
export const TABLE_SECTORS = 64;

/** Identifies our partition: by this name, or (an MBR has no names) by the type "no file system". */
const NAME = "siphon-bench";
const MBR_TYPE = 0xda;
/** The type of the MBR entry that keeps others off a disk with a GPT. */
const GUARD_TYPE = 0xee;
const MIB = 2 ** 20 / mbrSector;
/** It starts at an object boundary of the RBD image, so that no aligned block spans two objects. */
const ALIGNMENT = 4 * MIB;
/** Extra bytes that a disk needs for a partition: alignment, and the copy of a GPT. */
export const PARTITION_ROOM = 8 * 2 ** 20;
const SMALLEST = 16 * MIB;
/** An MBR counts sectors in 32 bits. */
const MBR_LIMIT = 2 ** 32 - 1;

/**
 * Plans a partition in the free space after all others, as the study does with cfdisk after a cloud image's root.
 * `start` holds the disk's first TABLE_SECTORS sectors.
 */
export function planPartition(start: Buffer, diskSectors: number): PartitionPlan {
  const mbr = readMbr(start);
  if (!mbr) throw new LabError("SIPHON_GUEST", "the guest's disk has no partition table");
  const gpt = Gpt.read(start);
  if (gpt) return planGpt(gpt, mbr, diskSectors);
  // A protective MBR means that there is a GPT, which is damaged.
  if (!mbr.partitions.some((partition) => partition?.type === GUARD_TYPE)) return planMbr(mbr, diskSectors);
  throw new LabError("SIPHON_GUEST", "the GUID partition table of the guest's disk is damaged");
}

function planGpt(gpt: Gpt, mbr: Mbr, diskSectors: number): PartitionPlan {
  const known = gpt.partitions.find(({ name }) => name === NAME);
  if (known)
    return { number: known.number, start: known.first, sectors: known.last - known.first + 1, writes: [] };
  const end = Math.max(...gpt.partitions.map(({ last }) => last + 1), 0);
  const space = freeSpace(end, gpt.lastUsable(diskSectors) + 1);
  const number = gpt.add({ name: NAME, first: space.start, last: space.start + space.sectors - 1 });
  if (number === undefined) throw noSlot();
  for (const partition of mbr.partitions) {
    if (partition?.type === GUARD_TYPE) partition.sectors = Math.min(diskSectors - 1, MBR_LIMIT);
  }
  return { number, ...space, writes: [...gpt.write(diskSectors), { sector: 0, data: writeMbr(mbr) }] };
}

function planMbr(mbr: Mbr, diskSectors: number): PartitionPlan {
  const known = mbr.partitions.findIndex((partition) => partition?.type === MBR_TYPE);
  if (known >= 0) {
    const { start, sectors } = mbr.partitions[known]!;
    return { number: known + 1, start, sectors, writes: [] };
  }
  const used = mbr.partitions.filter((partition): partition is MbrPartition => partition !== null);
  const end = Math.max(...used.map(({ start, sectors }) => start + sectors), 0);
  const space = freeSpace(end, Math.min(diskSectors, MBR_LIMIT));
  const slot = mbr.partitions.indexOf(null);
  if (slot < 0) throw noSlot();
  mbr.partitions[slot] = { type: MBR_TYPE, active: false, ...space };
  return { number: slot + 1, ...space, writes: [{ sector: 0, data: writeMbr(mbr) }] };
}

function freeSpace(from: number, to: number): { start: number; sectors: number } {
  const start = Math.ceil(from / ALIGNMENT) * ALIGNMENT;
  const sectors = Math.floor((to - start) / MIB) * MIB;
  if (sectors >= SMALLEST) return { start, sectors };
  throw new LabError("SIPHON_GUEST", "there is no free space behind the last partition of the guest's disk", {
    hint: "make the image larger: siphon image resize",
  });
}

function noSlot(): LabError {
  return new LabError("SIPHON_GUEST", "the partition table of the guest's disk is full");
}
