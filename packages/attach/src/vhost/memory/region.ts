import { Mapping } from "../native/mapping.ts";
import type { RegionDescription } from "../protocol/payloads.ts";

/** Offsets in a window of this size are small integers, and Node copies with 32-bit offsets. */
export const windowBytes = 2 ** 30;

/**
 * A part of the guest's memory, mapped. Shared by all tables that list it, and unmapped when the last one releases it.
 */
export class MemoryRegion {
  readonly description: RegionDescription;
  /** The region's bytes, `windowBytes` in each but the last. */
  readonly windows: Buffer[] = [];
  readonly #mapping: Mapping;
  #holders = 1;

  /**
   * The descriptor can be closed afterwards. The creator holds one reference.
   *
   * @throws AttachError if it cannot be mapped
   */
  constructor(fd: number, description: RegionDescription) {
    this.description = description;
    this.#mapping = new Mapping(fd, description.mmapOffset, description.size);
    for (let at = 0; at < description.size; at += windowBytes) {
      const length = Math.min(windowBytes, description.size - at);
      this.windows.push(Buffer.from(this.#mapping.view(at, length)));
    }
  }

  hold(): void {
    this.#holders++;
  }

  release(): void {
    this.#holders--;
    if (this.#holders === 0) this.#mapping[Symbol.dispose]();
  }

  /** The bytes at a front-end address; undefined unless this region has them all. */
  viewUser(address: number, length: number): ArrayBuffer | undefined {
    const offset = address - this.description.userAddress;
    if (offset < 0 || offset + length > this.description.size) return undefined;
    return this.#mapping.view(offset, length);
  }
}
