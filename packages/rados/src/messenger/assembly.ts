import { carryBytes, type MessengerMemory } from "./memory.ts";
import type { Region } from "./region.ts";

/** Takes frames out of bytes. */
export interface FrameTaker {
  /**
   * Takes what it can of the bytes from `start` up to `end` of the region and returns where it stopped: at
   * the end, or at the beginning of a frame that is not all there.
   */
  take(region: Region, start: number, end: number): number;
  /** How long the frame is that `take` stopped at; 0 if that is not known yet. */
  incompleteBytes(): number;
}

/**
 * Keeps the bytes of a frame that is not all there until the rest has been read: a few in front of the next read, so
 * that frames are taken in place; many in memory of their own.
 */
export class FrameAssembly {
  readonly #memory: MessengerMemory;
  readonly #frames: FrameTaker;
  #carry: Buffer | undefined;
  #carried = 0;
  /** A frame too large for the carry, as far as it was received. */
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
   * Adds to the large frame, whose memory grows with what arrives and never with what is only announced;
   * hands it over once complete. Returns how many bytes it took.
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
