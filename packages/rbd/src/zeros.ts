/** Whether all bytes from `start` up to `end` are 0. */
export function isZeros(bytes: Buffer, start = 0, end = bytes.length): boolean {
  if (start < end && bytes[start] !== 0) return false;
  for (let at = start; at < end; at += zeros.length) {
    const length = Math.min(end - at, zeros.length);
    if (bytes.compare(zeros, 0, length, at, at + length) !== 0) return false;
  }
  return true;
}

const zeros = Buffer.alloc(64 * 1024);
