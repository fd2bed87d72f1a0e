import { type GcmStream, gcmTagBytes } from "../gcm-stream.ts";
import type { Region } from "../region.ts";
import { checkCrc } from "./crc-frames.ts";
import { FrameCodec, preambleBytes } from "./frame.ts";
import { forged, padded, padWithZeros } from "./secure-frames.ts";

const allOnes = 0xffffffff;
const crcEpilogueBytes = 1 + 4 * 4;
const secureEpilogueBytes = 16;
const lateFlagAborted = 1;

/** The common part of both modes of msgr2.0: the frame is preamble, segments, epilogue. */
abstract class FramesRev0 extends FrameCodec {
  readonly headBytes = preambleBytes;

  protected abstract wireBytes(length: number): number;
  protected abstract readonly epilogueBytes: number;

  protected locate(at: number): number {
    this.at0 = at + preambleBytes;
    this.at1 = this.at0 + this.wireBytes(this.length0);
    this.at2 = this.at1 + this.wireBytes(this.length1);
    this.at3 = this.at2 + this.wireBytes(this.length2);
    return this.at3 + this.wireBytes(this.length3);
  }

  plan(length0: number, length1: number, length2: number, length3: number): number {
    this.planSegments(length0, length1, length2, length3);
    this.outAt0 = preambleBytes;
    this.outAt1 = this.outAt0 + this.wireBytes(length0);
    this.outAt2 = this.outAt1 + this.wireBytes(length1);
    this.outAt3 = this.outAt2 + this.wireBytes(length2);
    return this.outAt3 + this.wireBytes(length3) + this.epilogueBytes;
  }
}

/**
 * Frames in crc mode, msgr2.0 (FrameAssembler::asm_crc_rev0):
 *
 *     preamble, segments, u8 flags (1: given up), 4 x u32 crc32c of the segments, seed -1 (0 if not counted)
 */
export class CrcFramesRev0 extends FramesRev0 {
  protected readonly epilogueBytes = crcEpilogueBytes;

  protected wireBytes(length: number): number {
    return length;
  }

  readHead(region: Region, at: number): void {
    this.readPreamble(region, at);
    const segments = this.length0 + this.length1 + this.length2 + this.length3;
    this.frameBytes = preambleBytes + segments + crcEpilogueBytes;
  }

  readBody(region: Region, at: number): boolean {
    const epilogue = this.locate(at);
    const { bytes, view } = region;
    checkCrc(view.getUint32(epilogue + 1, true), region.crc32c(allOnes, this.at0, this.at1), 0);
    if (this.segments > 1) {
      checkCrc(view.getUint32(epilogue + 5, true), region.crc32c(allOnes, this.at1, this.at2), 1);
    }
    if (this.segments > 2) {
      checkCrc(view.getUint32(epilogue + 9, true), region.crc32c(allOnes, this.at2, this.at3), 2);
    }
    if (this.segments > 3) {
      checkCrc(view.getUint32(epilogue + 13, true), region.crc32c(allOnes, this.at3, epilogue), 3);
    }
    return (bytes[epilogue]! & lateFlagAborted) === 0;
  }

  seal(region: Region, at: number, tag: number): void {
    const view = region.view;
    this.writePreamble(region, at, tag);
    const at0 = at + this.outAt0;
    const at1 = at + this.outAt1;
    const at2 = at + this.outAt2;
    const at3 = at + this.outAt3;
    const epilogue = at3 + this.out3;
    const segments = this.outSegments;
    view.setUint8(epilogue, 0);
    view.setUint32(epilogue + 1, region.crc32c(allOnes, at0, at1), true);
    view.setUint32(epilogue + 5, segments > 1 ? region.crc32c(allOnes, at1, at2) : 0, true);
    view.setUint32(epilogue + 9, segments > 2 ? region.crc32c(allOnes, at2, at3) : 0, true);
    view.setUint32(epilogue + 13, segments > 3 ? region.crc32c(allOnes, at3, epilogue) : 0, true);
  }
}

/**
 * Frames in secure mode, msgr2.0 (FrameAssembler::asm_secure_rev0): one AES-GCM message a frame, segments
 * padded with zeros to multiples of 16 bytes:
 *
 *     { preamble, segments, u8 flags (1: given up), 15 zeros } tag
 */
export class SecureFramesRev0 extends FramesRev0 {
  protected readonly epilogueBytes = secureEpilogueBytes + gcmTagBytes;
  readonly #opening: GcmStream;
  readonly #sealing: GcmStream;

  constructor(opening: GcmStream, sealing: GcmStream) {
    super();
    this.#opening = opening;
    this.#sealing = sealing;
  }

  protected wireBytes(length: number): number {
    return padded(length);
  }

  readHead(region: Region, at: number): void {
    this.#opening.openStart(region, at, preambleBytes);
    this.readPreamble(region, at);
    const segments =
      padded(this.length0) + padded(this.length1) + padded(this.length2) + padded(this.length3);
    this.frameBytes = preambleBytes + segments + secureEpilogueBytes + gcmTagBytes;
  }

  readBody(region: Region, at: number): boolean {
    const epilogue = this.locate(at);
    const rest = epilogue + secureEpilogueBytes - this.at0;
    if (!this.#opening.openRest(region, this.at0, rest)) throw forged();
    return (region.bytes[epilogue]! & lateFlagAborted) === 0;
  }

  seal(region: Region, at: number, tag: number): void {
    const bytes = region.bytes;
    this.writePreamble(region, at, tag);
    padWithZeros(bytes, at + this.outAt0, this.out0);
    padWithZeros(bytes, at + this.outAt1, this.out1);
    padWithZeros(bytes, at + this.outAt2, this.out2);
    padWithZeros(bytes, at + this.outAt3, this.out3);
    const epilogue = at + this.outAt3 + padded(this.out3);
    bytes.fill(0, epilogue, epilogue + secureEpilogueBytes);
    this.#sealing.seal(region, at, epilogue + secureEpilogueBytes - at);
  }

  override destroy(): void {
    this.#opening.destroy();
    this.#sealing.destroy();
  }
}
