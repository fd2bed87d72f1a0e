import type { ImageOperations } from "../io/image-operations.ts";
import type { SectorCipher } from "./sector-cipher.ts";

/** The encrypted image whose sectors requests read and write. */
export interface SectorHost {
  /** The encrypted image. */
  readonly lower: ImageOperations;
  readonly cipher: SectorCipher;
  readonly sectorBytes: number;
  /** Offset of the data in the encrypted image, in bytes. */
  readonly dataOffset: number;
  /** The number of the sector at this offset of the data, in units of 512 bytes. */
  sectorAt(offset: number): number;
}
