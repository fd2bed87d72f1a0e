/**
 * Robert Jenkins' hash functions (https://burtleburtle.net/bob/hash/evahash.html) as Ceph uses them: for
 * object names (src/common/ceph_hash.cc) and inside CRUSH (src/crush/hash.c). All results are unsigned
 * 32-bit. The mixing step is written out in each: a function returning three values would allocate.
 */

/** Hash of an object name: the bytes from `start` up to `end`. */
export function strHashRjenkins(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let a = 0x9e3779b9 | 0;
  let b = a;
  let c = 0;
  let at = start;
  for (; end - at >= 12; at += 12) {
    a = (a + wordAt(bytes, at)) | 0;
    b = (b + wordAt(bytes, at + 4)) | 0;
    c = (c + wordAt(bytes, at + 8)) | 0;
    a = (a - b - c) ^ (c >>> 13);
    b = (b - c - a) ^ (a << 8);
    c = (c - a - b) ^ (b >>> 13);
    a = (a - b - c) ^ (c >>> 12);
    b = (b - c - a) ^ (a << 16);
    c = (c - a - b) ^ (b >>> 5);
    a = (a - b - c) ^ (c >>> 3);
    b = (b - c - a) ^ (a << 10);
    c = (c - a - b) ^ (b >>> 15);
  }

  // The lowest byte of c is kept for the length, so the last three bytes sit one place higher.
  c = (c + (end - start)) | 0;
  for (let i = end - at - 1; i >= 8; i--) c = (c + (bytes[at + i]! << (8 * (i - 7)))) | 0;
  for (let i = Math.min(end - at, 8) - 1; i >= 4; i--) b = (b + (bytes[at + i]! << (8 * (i - 4)))) | 0;
  for (let i = Math.min(end - at, 4) - 1; i >= 0; i--) a = (a + (bytes[at + i]! << (8 * i))) | 0;
  a = (a - b - c) ^ (c >>> 13);
  b = (b - c - a) ^ (a << 8);
  c = (c - a - b) ^ (b >>> 13);
  a = (a - b - c) ^ (c >>> 12);
  b = (b - c - a) ^ (a << 16);
  c = (c - a - b) ^ (b >>> 5);
  a = (a - b - c) ^ (c >>> 3);
  b = (b - c - a) ^ (a << 10);
  c = (c - a - b) ^ (b >>> 15);
  return c >>> 0;
}

const crushSeed = 1315423911;

/** CRUSH's hash of two 32-bit integers (crush_hash32_2). */
export function crushHash2(a: number, b: number): number {
  state[0] = a;
  state[1] = b;
  state[2] = 231232;
  state[3] = 1232;
  state[5] = crushSeed ^ a ^ b;
  mix(0, 1);
  mix(2, 0);
  mix(1, 3);
  return state[5]! >>> 0;
}

/** CRUSH's hash of three 32-bit integers (crush_hash32_3). */
export function crushHash3(first: number, second: number, third: number): number {
  let a = first | 0;
  let b = second | 0;
  let c = third | 0;
  let x = 231232;
  let y = 1232;
  let h = crushSeed ^ a ^ b ^ c;
  a = (a - b - h) ^ (h >>> 13);
  b = (b - h - a) ^ (a << 8);
  h = (h - a - b) ^ (b >>> 13);
  a = (a - b - h) ^ (h >>> 12);
  b = (b - h - a) ^ (a << 16);
  h = (h - a - b) ^ (b >>> 5);
  a = (a - b - h) ^ (h >>> 3);
  b = (b - h - a) ^ (a << 10);
  h = (h - a - b) ^ (b >>> 15);

  c = (c - x - h) ^ (h >>> 13);
  x = (x - h - c) ^ (c << 8);
  h = (h - c - x) ^ (x >>> 13);
  c = (c - x - h) ^ (h >>> 12);
  x = (x - h - c) ^ (c << 16);
  h = (h - c - x) ^ (x >>> 5);
  c = (c - x - h) ^ (h >>> 3);
  x = (x - h - c) ^ (c << 10);
  h = (h - c - x) ^ (x >>> 15);

  y = (y - a - h) ^ (h >>> 13);
  a = (a - h - y) ^ (y << 8);
  h = (h - y - a) ^ (a >>> 13);
  y = (y - a - h) ^ (h >>> 12);
  a = (a - h - y) ^ (y << 16);
  h = (h - y - a) ^ (a >>> 5);
  y = (y - a - h) ^ (h >>> 3);
  a = (a - h - y) ^ (y << 10);
  h = (h - y - a) ^ (a >>> 15);

  b = (b - x - h) ^ (h >>> 13);
  x = (x - h - b) ^ (b << 8);
  h = (h - b - x) ^ (x >>> 13);
  b = (b - x - h) ^ (h >>> 12);
  x = (x - h - b) ^ (b << 16);
  h = (h - b - x) ^ (x >>> 5);
  b = (b - x - h) ^ (h >>> 3);
  x = (x - h - b) ^ (b << 10);
  h = (h - b - x) ^ (x >>> 15);

  y = (y - c - h) ^ (h >>> 13);
  c = (c - h - y) ^ (y << 8);
  h = (h - y - c) ^ (c >>> 13);
  y = (y - c - h) ^ (h >>> 12);
  c = (c - h - y) ^ (y << 16);
  h = (h - y - c) ^ (c >>> 5);
  y = (y - c - h) ^ (h >>> 3);
  c = (c - h - y) ^ (y << 10);
  h = (h - y - c) ^ (c >>> 15);
  return h >>> 0;
}

/** CRUSH's hash of four 32-bit integers (crush_hash32_4). */
export function crushHash4(a: number, b: number, c: number, d: number): number {
  state[0] = a;
  state[1] = b;
  state[2] = c;
  state[3] = d;
  state[4] = 231232;
  state[6] = 1232;
  state[5] = crushSeed ^ a ^ b ^ c ^ d;
  mix(0, 1);
  mix(2, 3);
  mix(0, 4);
  mix(6, 1);
  mix(2, 4);
  mix(6, 3);
  return state[5]! >>> 0;
}

/** The mixing state of the hashes that are not in the inner loop of a placement; [5] is the hash. */
const state = new Int32Array(7);

function mix(first: number, second: number): void {
  let a = state[first]!;
  let b = state[second]!;
  let h = state[5]!;
  a = (a - b - h) ^ (h >>> 13);
  b = (b - h - a) ^ (a << 8);
  h = (h - a - b) ^ (b >>> 13);
  a = (a - b - h) ^ (h >>> 12);
  b = (b - h - a) ^ (a << 16);
  h = (h - a - b) ^ (b >>> 5);
  a = (a - b - h) ^ (h >>> 3);
  b = (b - h - a) ^ (a << 10);
  h = (h - a - b) ^ (b >>> 15);
  state[first] = a;
  state[second] = b;
  state[5] = h;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
