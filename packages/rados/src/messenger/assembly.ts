import { carryBytes, type MessengerMemory } from "./memory.ts";
import type { Region } from "./region.ts";

/** Parses frames from bytes. */
export interface FrameTaker {
  /**
   * Parses frames from the bytes from `start` up to `end` of the region and returns where it stopped: at the end, or at
   * the beginning of an incomplete frame.
   */
  take(region: Region, start: number, end: number): number;
  /** Length of the frame at which `take` stopped; 0 if unknown. */
  incompleteBytes(): number;
}

/**
 * Keeps the bytes of an incomplete frame until the rest is read: a few bytes in front of the next read, so that frames
 * are parsed in place; many in separate memory.
 */
export class FrameAssembly {
  readonly #memory: MessengerMemory;
  readonly #frames: FrameTaker;
  #carry: Buffer | undefined;
  #carried = 0;
  /** The received part of a frame too large for the carry. */
  #large: Region | undefined;
  #largeReceived = 0;

  constructor(memory: MessengerMemory, frames: FrameTaker) {
    this.#memory = memory;
    this.#frames = frames;
  }

  /** This many bytes were read into the memory's read area. */
  received(length: number): void {
    const { receive } = this.#memory;
    let start = carryBytes;
    const end = carryBytes + length;
    if (this.#large !== undefined) {
      start += this.#continueLarge(receive.bytes, start, end);
      if (this.#large !== undefined) return;
    } else if (this.#carried > 0) {
      start -= this.#carried;
      this.#carry!.copy(receive.bytes, start, 0, this.#carried);
      this.#carried = 0;
    }
    const stopped = this.#frames.take(receive, start, end);
    if (stopped < end) this.#keep(receive, stopped, end);
  }

  /** Gives the memory back. */
  release(): void {
    this.#carry = undefined;
    this.#carried = 0;
    if (this.#large !== undefined) this.#memory.giveChunk(this.#large);
    this.#large = undefined;
  }

  #keep(region: Region, start: number, end: number): void {
    const left = end - start;
    const wanted = this.#frames.incompleteBytes();
    if (wanted > carryBytes) {
      this.#large = this.#memory.takeChunk(Math.min(wanted, Math.max(2 * left, carryBytes)));
      this.#largeReceived = region.bytes.copy(this.#large.bytes, 0, start, end);
      return;
    }
    if (this.#carry === undefined || this.#carry.length < left) {
      this.#carry = Buffer.allocUnsafeSlow(Math.max(4096, 2 ** Math.ceil(Math.log2(left))));
    }
    this.#carried = region.bytes.copy(this.#carry, 0, start, end);
  }

  /**
   * Appends to the large frame, whose memory grows with the received bytes, not with the announced length; delivers it
   * when it is complete. Returns the number of bytes taken.
   */
  #continueLarge(bytes: Buffer, start: number, end: number): number {
    const wanted = this.#frames.incompleteBytes();
    const taken = Math.min(end - start, wanted - this.#largeReceived);
    let large = this.#large!;
    if (this.#largeReceived + taken > large.bytes.length) {
      const grown = this.#memory.takeChunk(Math.min(wanted, 2 * large.bytes.length + taken));
      large.bytes.copy(grown.bytes, 0, 0, this.#largeReceived);
      this.#memory.giveChunk(large);
      large = grown;
      this.#large = grown;
    }
    bytes.copy(large.bytes, this.#largeReceived, start, start + taken);
    this.#largeReceived += taken;
    if (this.#largeReceived === wanted) {
      this.#large = undefined;
      this.#frames.take(large, 0, wanted);
      this.#memory.giveChunk(large);
    }
    return taken;
  }
}
