import type { GuestMemory } from "../memory/guest-memory.ts";
import { Scatter } from "../memory/scatter.ts";
import { mostDescriptors, type SplitRing } from "./split-ring.ts";

const flagNext = 1;
const flagWrite = 2;
const flagIndirect = 4;
const descriptorBytes = 16;

/** Why a chain is invalid; the ring is then unusable. */
export type ChainFault =
  | "a descriptor outside its table"
  | "an endless chain"
  | "an address outside the guest's memory"
  | "an invalid indirect table"
  | "bytes to read after bytes to write";

/** The buffers of one request as the driver chained them. */
export class Chain {
  /** The parts that the device reads. */
  readonly readable = new Scatter();
  /** The parts that the device may write. */
  readonly writable = new Scatter();

  get pieces(): number {
    return this.readable.pieces + this.writable.pieces;
  }

  /**
   * Follows the chain from its head; undefined if it is valid. Reads every field of a descriptor once, because the
   * guest may change it at any time.
   */
  walk(ring: SplitRing, indirect: boolean, memory: GuestMemory, head: number): ChainFault | undefined {
    this.readable.clear();
    this.writable.clear();
    let table = ring.descriptors;
    let count = ring.size;
    let index = head;
    let inIndirect = false;
    for (let seen = 0; ; seen++) {
      if (index >= count) return "a descriptor outside its table";
      if (seen >= count) return "an endless chain";
      const at = index * 4;
      const low = table[at]!;
      const high = table[at + 1]!;
      const length = table[at + 2]!;
      const flagsAndNext = table[at + 3]!;
      if (high >= 0x200000) return "an address outside the guest's memory";
      const address = high * 0x100000000 + low;
      if ((flagsAndNext & flagIndirect) !== 0) {
        if (!indirect || inIndirect || (flagsAndNext & flagNext) !== 0) {
          return "an invalid indirect table";
        }
        count = length / descriptorBytes;
        if (count === 0 || count > mostDescriptors || !Number.isInteger(count)) {
          return "an invalid indirect table";
        }
        tablePlace.clear();
        if (!memory.locate(address, length, tablePlace)) return "an address outside the guest's memory";
        tablePlace.read(0, tableBytes, 0, length);
        table = tableWords;
        inIndirect = true;
        index = 0;
        seen = -1;
        continue;
      }
      const writes = (flagsAndNext & flagWrite) !== 0;
      if (!writes && this.writable.length > 0) return "bytes to read after bytes to write";
      if (length > 0 && !memory.locate(address, length, writes ? this.writable : this.readable)) {
        return "an address outside the guest's memory";
      }
      if ((flagsAndNext & flagNext) === 0) return undefined;
      index = flagsAndNext >>> 16;
    }
  }
}

/** An indirect table is copied before it is followed: it may span windows, and the guest cannot change the copy. */
const tableBytes = Buffer.from(new ArrayBuffer(mostDescriptors * descriptorBytes));
const tableWords = new Uint32Array(tableBytes.buffer);
const tablePlace = new Scatter();
