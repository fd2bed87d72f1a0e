import { coarseLogs, fineLogs } from "./ln-data.ts";

/** `crushLn` of every 16-bit number. All of it is made once (512 KiB), for straw2 needs one per item it weighs. */
export function crushLnTable(): Float64Array {
  if (table === undefined) {
    table = new Float64Array(0x10000);
    for (let u = 0; u < table.length; u++) table[u] = crushLn(u);
  }
  return table;
}

let table: Float64Array | undefined;

/**
 * `crush_ln(u) - 2^48` (src/crush/mapper.c): 2^44 * log2(u + 1) less its largest value, so a negative integer from -2^48
 * up. Numbers up to 2^64 are kept in two parts where they pass 2^53; everything else is exact in a double.
 */
export function crushLn(u: number): number {
  let x = u + 1;
  let exponent = 15;
  if ((x & 0x18000) === 0) {
    const shift = Math.clz32(x) - 16;
    x <<= shift;
    exponent -= shift;
  }
  const coarse = (x >> 8) - 128;
  const fraction = scaledFraction(x, coarse) & 0xff;
  return (exponent - 16) * 2 ** 44 + Math.floor((coarseLogs[coarse]! + fineLogs[fraction]!) / 16);
}

/** floor(x * reciprocal / 2^48) */
function scaledFraction(x: number, coarse: number): number {
  reciprocals[coarse] ||= reciprocalOf(coarse);
  const reciprocal = reciprocals[coarse];
  const high = Math.floor(reciprocal / 2 ** 24);
  const low = reciprocal % 2 ** 24;
  return Math.floor((x * high + Math.floor((x * low) / 2 ** 24)) / 2 ** 24);
}

const reciprocals = new Float64Array(129);

/** 2^48 / (1 + coarse / 128), rounded up. */
function reciprocalOf(coarse: number): number {
  return Number((2n ** 55n + BigInt(127 + coarse)) / BigInt(128 + coarse));
}
