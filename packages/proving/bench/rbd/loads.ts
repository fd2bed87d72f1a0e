const mib = 2 ** 20;

/** A load, the same for every client. */
export interface Load {
  name: string;
  rw: "randread" | "randwrite" | "read" | "write";
  blockSize: number;
  depth: number;
  /** Number of runs. */
  rounds: number;
  /** With `--quick`. */
  quickRounds: number;
  /** Only in crc mode. */
  crcOnly?: boolean;
  /** Also run by librbd of other releases. */
  releases?: boolean;
  /** Also run by our client with its cache on, in crc mode. */
  cached?: boolean;
}

export const loads: readonly Load[] = [
  { ...load("randread", 16_384, 128), rounds: 7, quickRounds: 2, releases: true, cached: true },
  { ...load("randwrite", 16_384, 128), rounds: 7, quickRounds: 2, releases: true },
  { ...load("randread", 4096, 1), rounds: 7, quickRounds: 2, releases: true, crcOnly: true },
  { ...load("randwrite", 4096, 1), rounds: 7, quickRounds: 2, releases: true, crcOnly: true },
  { ...load("randread", 4096, 128), rounds: 3, quickRounds: 2, crcOnly: true },
  { ...load("read", 4 * mib, 16), rounds: 3, quickRounds: 0, crcOnly: true },
  { ...load("write", 4 * mib, 16), rounds: 3, quickRounds: 0, crcOnly: true },
];

function load(rw: Load["rw"], blockSize: number, depth: number) {
  const size = blockSize >= mib ? `${blockSize / mib}M` : `${blockSize / 1024}K`;
  return { name: `${size} ${rw}, depth ${depth}`, rw, blockSize, depth };
}
