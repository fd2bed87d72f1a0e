import type { GuestMemory } from "../memory/guest-memory.ts";
import { malformed, type VringAddresses } from "../protocol/payloads.ts";

/** Maximum number of descriptors: QEMU's limit; no driver uses more. */
export const mostDescriptors = 1024;

const noInterrupt = 1;
const noNotify = 1;

/*
 * The three parts of a split ring of N descriptors; source: virtio 1.2, 2.7.
 *   descriptors: N times u64 address, u32 length, u16 flags, u16 next
 *   available: u16 flags, u16 idx, N times u16 head, u16 used_event
 *   used: u16 flags, u16 idx, N times (u32 head, u32 written), u16 avail_event
 */

/** Bytes of the used ring. */
export function usedBytes(size: number): number {
  return 6 + 8 * size;
}

/** A ring in the guest's memory. The guest may write to it at any time: every value is read once and then checked. */
export class SplitRing {
  /** Descriptors; a power of two. */
  readonly size: number;
  /** The descriptor table as 32-bit words, four a descriptor. */
  readonly descriptors: Uint32Array;
  readonly #available: Uint16Array;
  readonly #used: Uint16Array;
  readonly #usedElements: Uint32Array;
  readonly #eventIdx: boolean;
  /** The next entry of the available ring to look at. */
  nextAvailable: number;
  /** The used ring's idx, including unpublished entries. */
  #nextUsed: number;
  /** The idx published last. */
  #publishedUsed: number;

  /** @throws AttachError SIPHON_ATTACH_PROTOCOL if a part is outside the guest's memory */
  constructor(
    memory: GuestMemory,
    addresses: VringAddresses,
    { size, base, eventIdx }: { size: number; base: number; eventIdx: boolean },
  ) {
    const part = (name: string, address: number, length: number, alignment: number): ArrayBuffer => {
      const view = address % alignment === 0 ? memory.viewUser(address, length) : undefined;
      if (view === undefined) throw malformed(`a ring whose ${name} are outside the guest's memory`);
      return view;
    };
    this.size = size;
    this.descriptors = new Uint32Array(part("descriptors", addresses.descriptors, 16 * size, 16));
    this.#available = new Uint16Array(part("available entries", addresses.available, 6 + 2 * size, 2));
    const used = part("used entries", addresses.used, usedBytes(size), 4);
    this.#used = new Uint16Array(used);
    this.#usedElements = new Uint32Array(used, 0, 1 + 2 * size);
    this.#eventIdx = eventIdx;
    this.nextAvailable = base;
    this.#nextUsed = this.#used[1]!;
    this.#publishedUsed = this.#nextUsed;
  }

  /** The used ring's idx as the driver sees it. */
  get usedIdx(): number {
    return this.#publishedUsed;
  }

  /** Available entries that were not read yet; more than `size` means that the ring is broken. */
  waiting(): number {
    return (Atomics.load(this.#available, 1) - this.nextAvailable) & 0xffff;
  }

  /** The next available entry's head; unchecked, so it may be outside the table. */
  takeHead(): number {
    const head = this.#available[2 + (this.nextAvailable & (this.size - 1))]!;
    this.nextAvailable = (this.nextAvailable + 1) & 0xffff;
    return head;
  }

  /** Returns a chain; the driver sees it after the next `publish`. */
  putUsed(head: number, written: number): void {
    const at = 1 + 2 * (this.#nextUsed & (this.size - 1));
    this.#usedElements[at] = head;
    this.#usedElements[at + 1] = written;
    this.#nextUsed = (this.#nextUsed + 1) & 0xffff;
  }

  /** Publishes the returned chains; returns whether the driver wants a notification. */
  publish(): boolean {
    const before = this.#publishedUsed;
    const now = this.#nextUsed;
    if (before === now) return false;
    // Sequentially consistent: the driver's event index must be read after this, or a notification could be missed.
    Atomics.store(this.#used, 1, now);
    this.#publishedUsed = now;
    if (!this.#eventIdx) return (Atomics.load(this.#available, 0) & noInterrupt) === 0;
    const event = Atomics.load(this.#available, 2 + this.size);
    return ((now - event - 1) & 0xffff) < ((now - before) & 0xffff);
  }

  /** Asks the driver not to kick; it may still kick. */
  suppressKicks(): void {
    if (this.#eventIdx) this.#setAvailableEvent(this.nextAvailable - 1);
    else Atomics.store(this.#used, 0, noNotify);
  }

  /**
   * Asks the driver to kick for the next entry. Check the ring afterwards, because entries may have been added before.
   */
  allowKicks(): void {
    if (this.#eventIdx) this.#setAvailableEvent(this.nextAvailable);
    else Atomics.store(this.#used, 0, 0);
  }

  #setAvailableEvent(index: number): void {
    Atomics.store(this.#used, 2 + 4 * this.size, index & 0xffff);
  }
}
