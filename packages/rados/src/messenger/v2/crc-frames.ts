import { crc32c } from "@siphon/wire";
import type { Region } from "../region.ts";
import { badFrame, FrameCodec, preambleBytes } from "./frame.ts";

const crcBytes = 4;
const allOnes = 0xffffffff;
const lateStatusMask = 0xf;
export const lateStatusComplete = 0xe;
export const lateStatusAborted = 0x1;

/**
 * Frames in crc mode, msgr2.1 (FrameAssembler::asm_crc_rev1):
 *
 *     preamble
 *     segment 0, u32 crc32c (absent if the segment is empty)
 *     segments 1 to 3
 *     u8 late status, 3 x u32 crc32c of segments 1 to 3 (only if there is more than one segment)
 *
 * The seed is -1; an empty segment that is counted has crc -1, one that is not counted 0.
 */
export class CrcFramesRev1 extends FrameCodec {
  readonly headBytes = preambleBytes;
  #crc1 = 0;
  #crc2 = 0;
  #crc3 = 0;
  /** Checksums of the segments being sent. */
  #outCrc1 = 0;
  #outCrc2 = 0;
  #outCrc3 = 0;

  readHead(region: Region, at: number): void {
    this.readPreamble(region, at);
    const first = this.length0 > 0 ? this.length0 + crcBytes : 0;
    const rest = this.segments > 1 ? this.length1 + this.length2 + this.length3 + epilogueBytes : 0;
    this.frameBytes = preambleBytes + first + rest;
  }

  readBody(region: Region, at: number): boolean {
    const { bytes, view } = region;
    let next = at + preambleBytes;
    this.at0 = next;
    if (this.length0 > 0) {
      next += this.length0;
      checkCrc(view.getUint32(next, true), region.crc32c(allOnes, this.at0, next), 0);
      next += crcBytes;
    }
    if (this.segments === 1) return true;
    this.at1 = next;
    this.at2 = this.at1 + this.length1;
    this.at3 = this.at2 + this.length2;
    const epilogue = this.at3 + this.length3;
    checkCrc(view.getUint32(epilogue + 1, true), region.crc32c(allOnes, this.at1, this.at2), 1);
    if (this.segments > 2) {
      checkCrc(view.getUint32(epilogue + 5, true), region.crc32c(allOnes, this.at2, this.at3), 2);
    }
    if (this.segments > 3) {
      checkCrc(view.getUint32(epilogue + 9, true), region.crc32c(allOnes, this.at3, epilogue), 3);
    }
    return isComplete(bytes[epilogue]!);
  }

  override get portionsAt(): number {
    return preambleBytes + this.length0 + crcBytes + this.length1 + this.length2;
  }

  override beginPortions(region: Region, at: number): void {
    this.at0 = at + preambleBytes;
    this.at1 = this.at0 + this.length0 + crcBytes;
    this.at2 = this.at1 + this.length1;
    this.at3 = this.at2 + this.length2;
    const end = this.at0 + this.length0;
    checkCrc(region.view.getUint32(end, true), region.crc32c(allOnes, this.at0, end), 0);
    this.#crc1 = region.crc32c(allOnes, this.at1, this.at2);
    this.#crc2 = region.crc32c(allOnes, this.at2, this.at3);
    this.#crc3 = allOnes;
    this.portionsLeft = this.length3;
  }

  override takePortion(region: Region, at: number, available: number): number {
    this.portionBytes = Math.min(available, this.portionsLeft);
    this.#crc3 = region.crc32c(this.#crc3, at, at + this.portionBytes);
    this.portionsLeft -= this.portionBytes;
    return this.portionBytes;
  }

  override get portionsTail(): number {
    return epilogueBytes;
  }

  override endPortions(region: Region, at: number): boolean {
    const view = region.view;
    checkCrc(view.getUint32(at + 1, true), this.#crc1, 1);
    checkCrc(view.getUint32(at + 5, true), this.#crc2, 2);
    checkCrc(view.getUint32(at + 9, true), this.#crc3, 3);
    return isComplete(region.bytes[at]!);
  }

  plan(length0: number, length1: number, length2: number, length3: number): number {
    this.planSegments(length0, length1, length2, length3);
    this.outAt0 = preambleBytes;
    this.outAt1 = preambleBytes + length0 + (length0 > 0 ? crcBytes : 0);
    this.outAt2 = this.outAt1 + length1;
    this.outAt3 = this.outAt2 + length2;
    return this.outSegments === 1 ? this.outAt1 : this.outAt3 + length3 + epilogueBytes;
  }

  seal(region: Region, at: number, tag: number): void {
    this.#sealStart(region, at, tag);
    if (this.outSegments === 1) return;
    const at3 = at + this.outAt3;
    const epilogue = at3 + this.out3;
    this.#outCrc3 = this.outSegments > 3 ? region.crc32c(allOnes, at3, epilogue) : 0;
    this.sealTail(region, epilogue);
  }

  override get gathers(): boolean {
    return true;
  }

  override sealHead(region: Region, at: number, tag: number, segment3: Uint8Array): void {
    this.#sealStart(region, at, tag);
    this.#outCrc3 = crc32c(allOnes, segment3);
  }

  override sealTail(region: Region, at: number): void {
    const view = region.view;
    view.setUint8(at, lateStatusComplete);
    view.setUint32(at + 1, this.#outCrc1, true);
    view.setUint32(at + 5, this.#outCrc2, true);
    view.setUint32(at + 9, this.#outCrc3, true);
  }

  #sealStart(region: Region, at: number, tag: number): void {
    this.writePreamble(region, at, tag);
    if (this.out0 > 0) {
      const end = at + preambleBytes + this.out0;
      region.view.setUint32(end, region.crc32c(allOnes, at + preambleBytes, end), true);
    }
    if (this.outSegments === 1) return;
    const at1 = at + this.outAt1;
    const at2 = at + this.outAt2;
    this.#outCrc1 = region.crc32c(allOnes, at1, at2);
    this.#outCrc2 = this.outSegments > 2 ? region.crc32c(allOnes, at2, at + this.outAt3) : 0;
  }
}

/** Whether the sender completed the frame, by a msgr2.1 epilogue's late status. */
export function isComplete(lateStatus: number): boolean {
  const status = lateStatus & lateStatusMask;
  if (status === lateStatusComplete) return true;
  if (status === lateStatusAborted) return false;
  throw badFrame(`late status ${lateStatus}`);
}

export function checkCrc(received: number, computed: number, segment: number): void {
  if (received !== computed) throw badFrame(`wrong checksum of segment ${segment}`);
}

const epilogueBytes = 1 + 3 * crcBytes;
