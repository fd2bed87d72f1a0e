import { type GcmStream, gcmTagBytes } from "../gcm-stream.ts";
import type { Region } from "../region.ts";
import { isComplete, lateStatusComplete } from "./crc-frames.ts";
import { badFrame, FrameCodec, preambleBytes } from "./frame.ts";

const blockBytes = 16;
const inlineBytes = 48;
const headPlainBytes = preambleBytes + inlineBytes;

/**
 * Frames in secure mode, msgr2.1 (FrameAssembler::asm_secure_rev1). Up to three AES-GCM messages, each with
 * the next nonce; `|16|` is zero padding to a multiple of 16 bytes:
 *
 *     { preamble, first 48 bytes of segment 0 (zero padded) } tag
 *     { rest of segment 0 |16| } tag                                  (only if segment 0 is longer than 48)
 *     { segments 1 to 3 |16| each, u8 late status, 15 zeros } tag     (only if there is more than one segment)
 */
export class SecureFramesRev1 extends FrameCodec {
  readonly headBytes = headPlainBytes + gcmTagBytes;
  readonly #opening: GcmStream;
  readonly #sealing: GcmStream;

  constructor(opening: GcmStream, sealing: GcmStream) {
    super();
    this.#opening = opening;
    this.#sealing = sealing;
  }

  readHead(region: Region, at: number): void {
    if (!this.#opening.open(region, at, headPlainBytes)) throw forged();
    this.readPreamble(region, at);
    const remainder = remainderBytes(this.length0);
    this.frameBytes = this.headBytes + (remainder > 0 ? remainder + gcmTagBytes : 0);
    if (this.segments > 1) this.frameBytes += this.#tailBytes() + gcmTagBytes;
  }

  readBody(region: Region, at: number): boolean {
    this.at0 = at + preambleBytes;
    let next = at + this.headBytes;
    const remainder = remainderBytes(this.length0);
    if (remainder > 0) {
      if (!this.#opening.open(region, next, remainder)) throw forged();
      // The tag between the two parts of segment 0 is overwritten: the segment becomes one piece.
      region.bytes.copyWithin(at + headPlainBytes, next, next + remainder);
      next += remainder + gcmTagBytes;
    }
    if (this.segments === 1) return true;
    const tail = this.#tailBytes();
    if (!this.#opening.open(region, next, tail)) throw forged();
    this.at1 = next;
    this.at2 = this.at1 + padded(this.length1);
    this.at3 = this.at2 + padded(this.length2);
    return isComplete(region.bytes[next + tail - blockBytes]!);
  }

  /** Only if segment 0 fits into the head, as for every message. */
  override get portionsAt(): number {
    if (this.length0 > inlineBytes) return 0;
    return this.headBytes + padded(this.length1) + padded(this.length2);
  }

  override beginPortions(region: Region, at: number): void {
    this.at0 = at + preambleBytes;
    this.at1 = at + this.headBytes;
    this.at2 = this.at1 + padded(this.length1);
    this.at3 = this.at2 + padded(this.length2);
    this.#opening.openStart(region, this.at1, this.at3 - this.at1);
    this.portionsLeft = this.length3;
  }

  override takePortion(region: Region, at: number, available: number): number {
    const taken = Math.min(available & -blockBytes, padded(this.portionsLeft));
    this.#opening.openMore(region, at, taken);
    this.portionBytes = Math.min(taken, this.portionsLeft);
    this.portionsLeft -= this.portionBytes;
    return taken;
  }

  override get portionsTail(): number {
    return blockBytes + gcmTagBytes;
  }

  override endPortions(region: Region, at: number): boolean {
    if (!this.#opening.openRest(region, at, blockBytes)) throw forged();
    return isComplete(region.bytes[at]!);
  }

  /** A segment 0 longer than 48 bytes is written in one piece at `outAt0`; `seal` splits it. */
  plan(length0: number, length1: number, length2: number, length3: number): number {
    this.planSegments(length0, length1, length2, length3);
    const remainder = remainderBytes(length0);
    this.outAt0 = preambleBytes;
    this.outAt1 = this.headBytes + (remainder > 0 ? remainder + gcmTagBytes : 0);
    this.outAt2 = this.outAt1 + padded(length1);
    this.outAt3 = this.outAt2 + padded(length2);
    if (this.outSegments === 1) return this.outAt1;
    return this.outAt3 + padded(length3) + blockBytes + gcmTagBytes;
  }

  seal(region: Region, at: number, tag: number): void {
    const bytes = region.bytes;
    this.writePreamble(region, at, tag);
    const remainder = remainderBytes(this.out0);
    const inlineEnd = at + headPlainBytes;
    if (remainder > 0) {
      const remainderAt = at + this.headBytes;
      bytes.copyWithin(remainderAt, inlineEnd, at + preambleBytes + this.out0);
      const used = this.out0 - inlineBytes;
      bytes.fill(0, remainderAt + used, remainderAt + remainder);
      this.#sealing.seal(region, at, headPlainBytes);
      this.#sealing.seal(region, remainderAt, remainder);
    } else {
      zero(bytes, at + preambleBytes + this.out0, inlineEnd);
      this.#sealing.seal(region, at, headPlainBytes);
    }
    if (this.outSegments === 1) return;
    const at1 = at + this.outAt1;
    const epilogue = at + this.outAt3 + padded(this.out3);
    padWithZeros(bytes, at1, this.out1);
    padWithZeros(bytes, at + this.outAt2, this.out2);
    padWithZeros(bytes, at + this.outAt3, this.out3);
    zero(bytes, epilogue, epilogue + blockBytes);
    bytes[epilogue] = lateStatusComplete;
    this.#sealing.seal(region, at1, epilogue + blockBytes - at1);
  }

  override destroy(): void {
    this.#opening.destroy();
    this.#sealing.destroy();
  }

  #tailBytes(): number {
    return padded(this.length1) + padded(this.length2) + padded(this.length3) + blockBytes;
  }
}

export function padded(length: number): number {
  return (length + blockBytes - 1) & -blockBytes;
}

export function padWithZeros(bytes: Uint8Array, at: number, length: number): void {
  zero(bytes, at + length, at + padded(length));
}

/** Fills a few bytes, for which a loop is faster than `fill`. */
function zero(bytes: Uint8Array, start: number, end: number): void {
  for (let i = start; i < end; i++) bytes[i] = 0;
}

export function forged(): Error {
  return badFrame("it was altered in transit, or encrypted with another key");
}

function remainderBytes(length0: number): number {
  return length0 > inlineBytes ? padded(length0 - inlineBytes) : 0;
}
