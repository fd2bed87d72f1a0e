import { malformed, type RegionDescription } from "../protocol/payloads.ts";
import type { DirtyLog } from "./dirty-log.ts";
import { type MemoryRegion, windowBytes } from "./region.ts";
import type { Scatter } from "./scatter.ts";

/** Maximum number of regions, as in other back-ends: the memory slots of a PC. */
export const mostRegions = 509;

/**
 * The guest's memory according to one table of the front-end. Tables are immutable: a new one replaces the old one,
 * which stays mapped until its requests in flight are done.
 */
export class GuestMemory {
  readonly regions: readonly MemoryRegion[];
  /** Windows by guest address; a window ends where the next one or a hole begins. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #bytes: Buffer[] = [];
  #last = 0;
  #users = 1;

  constructor(regions: readonly MemoryRegion[] = []) {
    refuseOverlaps(regions.map(({ description }) => description));
    this.regions = regions;
    for (const region of regions) region.hold();
    const sorted = [...regions].sort((a, b) => a.description.guestAddress - b.description.guestAddress);
    for (const { description, windows } of sorted) {
      for (const [index, window] of windows.entries()) {
        const start = description.guestAddress + index * windowBytes;
        this.#starts.push(start);
        this.#ends.push(start + window.length);
        this.#bytes.push(window);
      }
    }
  }

  /** Keeps the bytes usable until `release`. */
  hold(): void {
    this.#users++;
  }

  /** Ends one use. The creator's call ends the table itself. */
  release(): void {
    this.#users--;
    if (this.#users > 0) return;
    for (const region of this.regions) region.release();
  }

  /**
   * Adds the bytes at a guest address to a scatter; false if they are not all in the guest's memory (the scatter is
   * then invalid).
   */
  locate(address: number, length: number, into: Scatter): boolean {
    let index = this.#find(address);
    if (index < 0) return false;
    let at = address;
    let left = length;
    for (;;) {
      const offset = at - this.#starts[index]!;
      const here = Math.min(left, this.#ends[index]! - at);
      into.add(this.#bytes[index]!, offset, here, at);
      left -= here;
      if (left === 0) return true;
      at += here;
      index++;
      if (index === this.#starts.length || this.#starts[index] !== at) return false;
    }
  }

  /** Whether a log has a bit for each of its pages. */
  isCoveredBy(log: DirtyLog): boolean {
    return this.regions.every(({ description }) => log.covers(description.guestAddress, description.size));
  }

  /** The bytes at a front-end address; undefined unless one region has them all. */
  viewUser(address: number, length: number): ArrayBuffer | undefined {
    for (const region of this.regions) {
      const view = region.viewUser(address, length);
      if (view !== undefined) return view;
    }
    return undefined;
  }

  /** The window of an address, or -1. Successive requests often use the same window. */
  #find(address: number): number {
    const last = this.#last;
    if (address >= this.#starts[last]! && address < this.#ends[last]!) return last;
    let low = 0;
    let high = this.#starts.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (address < this.#starts[middle]!) high = middle - 1;
      else if (address >= this.#ends[middle]!) low = middle + 1;
      else {
        this.#last = middle;
        return middle;
      }
    }
    return -1;
  }
}

function refuseOverlaps(regions: RegionDescription[]): void {
  if (regions.length > mostRegions) throw malformed(`more than ${mostRegions} memory regions`);
  for (const key of ["guestAddress", "userAddress"] as const) {
    const sorted = [...regions].sort((a, b) => a[key] - b[key]);
    for (let index = 1; index < sorted.length; index++) {
      const before = sorted[index - 1]!;
      if (before[key] + before.size > sorted[index]![key]) throw malformed("overlapping memory regions");
    }
  }
}
