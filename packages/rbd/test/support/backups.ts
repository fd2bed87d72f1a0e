import type { Backup } from "../../src/transfer/backup/backup.ts";
import { DiffReader } from "../../src/transfer/diff-reader.ts";
import { applyDiff } from "../../src/transfer/import-diff.ts";
import { MemoryImage } from "./memory-image.ts";

export const backedUp = {
  spec: "pool/image",
  id: "10226b8b4567",
  order: 22,
  features: 61,
  metadata: new Map([["owner", "somebody"]]),
};

const unit = 512;
const largest = 50 * unit;

/** An image that changes in some places from state to state: what it holds follows from the number of the state. */
export function stateAt(number: number): MemoryImage {
  const bytes = Buffer.alloc(largest);
  for (let n = 0; n <= number; n++) {
    for (const { offset, length, exists } of changesAt(n))
      bytes.fill(exists ? n + 1 : 0, offset, offset + length);
    // Bytes that a smaller state cuts off are zeros when the image grows again.
    bytes.fill(0, sizeAt(n));
  }
  return new MemoryImage(bytes.subarray(0, sizeAt(number)), changesAt(number));
}

function changesAt(number: number) {
  return Array.from({ length: 6 }, (_, n) => ({
    offset: (n * 8 + ((number * 5 + n * 3) % 5)) * unit,
    length: (1 + ((number + n) % 3)) * unit,
    exists: (number + n) % 4 !== 0,
  })).filter(({ offset, length }) => offset + length <= sizeAt(number));
}

function sizeAt(number: number): number {
  return (40 + ((number * 7) % 11)) * unit;
}

/** The name of the point with the state of this number. */
export function nameOf(number: number): string {
  return `point-${number}`;
}

/** The content of an empty image after a restore of a point. */
export async function restored(backup: Backup, name: string): Promise<Buffer> {
  const target = new MemoryImage();
  await using source = backup.read(name);
  await applyDiff(await DiffReader.open(source), target);
  return target.bytes;
}

/** Adds states until there are this many points. */
export async function addUpTo(backup: Backup, count: number): Promise<void> {
  const newest = backup.newest === undefined ? -1 : Number(backup.newest.name.split("-")[1]);
  for (let number = newest + 1; number < count; number++) {
    const state = stateAt(number);
    await backup.add(nameOf(number), state);
  }
}
