/**
 * Memory for sectors between the cluster and whoever reads or writes them: shared by all images of the process, so that what one of
 * them used at its busiest is not kept by each.
 *
 * @param bytes at least so many are given
 */
export function takeSectors(bytes: number): Buffer {
  const order = orderOf(bytes);
  const kept = order < buffers.length ? buffers[order]!.pop() : undefined;
  if (kept === undefined) return Buffer.allocUnsafeSlow(order < buffers.length ? leastBytes << order : bytes);
  keptBytes -= kept.length;
  return kept;
}

/** Nobody reads or writes the memory any more. */
export function giveSectors(memory: Buffer): void {
  if (memory.length > leastBytes << (buffers.length - 1) || keptBytes + memory.length > mostKept) return;
  keptBytes += memory.length;
  buffers[orderOf(memory.length)]!.push(memory);
}

/** For those who have no memory. */
export const noSectors: Buffer = Buffer.alloc(0);

/** By their size, each twice that of the one before: 4 KiB to 4 MiB. */
const leastBytes = 4096;
const buffers: Buffer[][] = Array.from({ length: 11 }, () => []);
let keptBytes = 0;
const mostKept = 32 << 20;

function orderOf(bytes: number): number {
  return Math.max(0, 20 - Math.clz32(Math.max(1, bytes - 1)));
}
