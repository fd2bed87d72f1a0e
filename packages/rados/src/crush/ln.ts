import { coarseLogs, fineLogs } from "./ln-data.ts";

/**
 * For every 16-bit u, `crush_ln(u) - 2^48` (src/crush/mapper.c): 2^44 * log2(u + 1) less its largest value,
 * so a negative integer from -2^48 up. All of it is made once (512 KiB), for straw2 needs one per item it weighs.
 */
export function crushLnTable(): Float64Array {
  table ??= Float64Array.from({ length: 0x10000 }, (_, u) => crushLn(u) - 2 ** 48);
  return table;
}

let table: Float64Array | undefined;

/** Numbers up to 2^64 are kept in two parts where they pass 2^53; everything else is exact in a double. */
function crushLn(u: number): number {
  let x = u + 1;
  let exponent = 15;
  if ((x & 0x18000) === 0) {
    const shift = Math.clz32(x) - 16;
    x <<= shift;
    exponent -= shift;
  }
  const coarse = (x >> 8) - 128;
  const fraction = scaledFraction(x, coarse) & 0xff;
  return exponent * 2 ** 44 + Math.floor((coarseLogs[coarse]! + fineLogs[fraction]!) / 16);
}

/** floor(x * reciprocal / 2^48), the reciprocal being 2^48 / (1 + coarse / 128) rounded up. */
function scaledFraction(x: number, coarse: number): number {
  const reciprocal = Number((2n ** 55n + BigInt(127 + coarse)) / BigInt(128 + coarse));
  const high = Math.floor(reciprocal / 2 ** 24);
  const low = reciprocal % 2 ** 24;
  return Math.floor((x * high + Math.floor((x * low) / 2 ** 24)) / 2 ** 24);
}
