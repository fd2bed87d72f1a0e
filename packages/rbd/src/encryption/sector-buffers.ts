/**
 * Buffers for sectors, shared by all images of the process, so that each image does not keep its peak.
 *
 * @param bytes the least length of the buffer
 */
export function takeSectors(bytes: number): Buffer {
  const order = orderOf(bytes);
  const kept = order < buffers.length ? buffers[order]!.pop() : undefined;
  if (kept === undefined) return Buffer.allocUnsafeSlow(order < buffers.length ? leastBytes << order : bytes);
  keptBytes -= kept.length;
  return kept;
}

/** Returns a buffer that is no longer in use. */
export function giveSectors(memory: Buffer): void {
  if (memory.length > leastBytes << (buffers.length - 1) || keptBytes + memory.length > mostKept) return;
  keptBytes += memory.length;
  buffers[orderOf(memory.length)]!.push(memory);
}

/** Stands for no buffer. */
export const noSectors: Buffer = Buffer.alloc(0);

/** By size, in powers of two: 4 KiB to 4 MiB. */
const leastBytes = 4096;
const buffers: Buffer[][] = Array.from({ length: 11 }, () => []);
let keptBytes = 0;
const mostKept = 32 << 20;

function orderOf(bytes: number): number {
  return Math.max(0, 20 - Math.clz32(Math.max(1, bytes - 1)));
}
