const mib = 2 ** 20;

/** A load, the same for every client. */
export interface Load {
  name: string;
  rw: "randread" | "randwrite" | "read" | "write";
  blockSize: number;
  depth: number;
  /** Number of runs, and with `--quick`: more if a goal depends on the load. */
  rounds: number;
  quickRounds: number;
  /** With `--quick` only in crc mode. */
  quickInCrcOnly?: boolean;
  /** Also run by our client with its cache on, in crc mode. */
  cached?: boolean;
}

export const loads: readonly Load[] = [
  { ...load("randread", 16_384, 128), rounds: 3, quickRounds: 2, cached: true },
  { ...load("randwrite", 16_384, 128), rounds: 3, quickRounds: 1 },
  { ...load("randread", 4096, 1), rounds: 3, quickRounds: 1, quickInCrcOnly: true },
  { ...load("randwrite", 4096, 1), rounds: 3, quickRounds: 1, quickInCrcOnly: true },
  { ...load("randread", 4096, 128), rounds: 3, quickRounds: 1, quickInCrcOnly: true },
  { ...load("randread", 4096, 32), rounds: 1, quickRounds: 0 },
  { ...load("randwrite", 4096, 32), rounds: 1, quickRounds: 0 },
  { ...load("read", 4 * mib, 16), rounds: 1, quickRounds: 0 },
  { ...load("write", 4 * mib, 16), rounds: 1, quickRounds: 0 },
];

function load(rw: Load["rw"], blockSize: number, depth: number) {
  const size = blockSize >= mib ? `${blockSize / mib}M` : `${blockSize / 1024}K`;
  return { name: `${size} ${rw}, depth ${depth}`, rw, blockSize, depth };
}
