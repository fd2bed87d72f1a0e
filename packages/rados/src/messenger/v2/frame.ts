import { RadosError } from "../../errors.ts";
import type { Region } from "../region.ts";

/** Frame tags, src/msg/async/frames_v2.h. */
export const frameTag = {
  hello: 1,
  authRequest: 2,
  authBadMethod: 3,
  authReplyMore: 4,
  authRequestMore: 5,
  authDone: 6,
  authSignature: 7,
  clientIdent: 8,
  serverIdent: 9,
  identMissingFeatures: 10,
  sessionReconnect: 11,
  sessionReset: 12,
  sessionRetry: 13,
  sessionRetryGlobal: 14,
  sessionReconnectOk: 15,
  wait: 16,
  message: 17,
  keepalive2: 18,
  keepalive2Ack: 19,
  ack: 20,
} as const;

export const preambleBytes = 32;
const preambleCrcAt = preambleBytes - 4;
const maxSegments = 4;

/** Maximum lengths of segments: header or control, front, middle, data. No daemon sends more. */
const maxSegmentBytes = [16 << 20, 64 << 20, 16 << 20, 128 << 20] as const;

/**
 * Turns segments into frames and back, in place. One subclass for each wire format: revision 0 (msgr2.0) or
 * 1 (msgr2.1), with checksums (crc mode) or encryption (secure mode). Every frame begins with a preamble:
 *
 *     u8 tag, u8 segments (1 to 4), 4 x { u32 length, u16 alignment }, u8 flags, u8 0, u32 crc32c(seed 0)
 *
 * Offsets and lengths are plain fields, so that a frame costs no allocation. To receive: `readHead` once
 * `headBytes` are there, `readBody` once `frameBytes` are. To send: `plan`, write the segments, `seal`.
 */
export abstract class FrameCodec {
  /** Bytes of a frame that are needed to know its length. */
  abstract readonly headBytes: number;

  /** Tag of the frame that was read last; its segment i is `length<i>` bytes at offset `at<i>` of the region. */
  tag = 0;
  segments = 0;
  length0 = 0;
  length1 = 0;
  length2 = 0;
  length3 = 0;
  at0 = 0;
  at1 = 0;
  at2 = 0;
  at3 = 0;
  /** On the wire, in bytes. */
  frameBytes = 0;

  /** Segments of the frame being sent: lengths, and offsets from the start of the frame. */
  protected outSegments = 0;
  protected out0 = 0;
  protected out1 = 0;
  protected out2 = 0;
  protected out3 = 0;
  outAt0 = 0;
  outAt1 = 0;
  outAt2 = 0;
  outAt3 = 0;

  /** Checks the head at `at` and sets lengths and `frameBytes`. */
  abstract readHead(region: Region, at: number): void;

  /** Checks the whole frame and sets the offsets; false if the sender aborted the frame. */
  abstract readBody(region: Region, at: number): boolean;

  /**
   * How many bytes of a frame come before segment 3, so that this segment can be received in portions:
   * `beginPortions` once so many are there, `takePortion` as often as bytes come, `endPortions` for the rest. 0 where
   * the format cannot.
   */
  get portionsAt(): number {
    return 0;
  }

  /** Checks what comes before segment 3 (in crc mode only segment 0) and sets the offsets. */
  beginPortions(_region: Region, _at: number): void {
    throw new Error("frames of this format are received whole");
  }

  /** Takes a part of segment 3 in place, and returns its number of bytes on the wire; see `portionBytes`. */
  takePortion(_region: Region, _at: number, _available: number): number {
    throw new Error("frames of this format are received whole");
  }

  /** Bytes of the portion taken last that belong to the segment. */
  portionBytes = 0;
  /** Remaining bytes of segment 3. */
  portionsLeft = 0;

  /** On the wire behind segment 3. */
  get portionsTail(): number {
    return 0;
  }

  /** Checks the whole frame; false if the sender aborted it. */
  endPortions(_region: Region, _at: number): boolean {
    throw new Error("frames of this format are received whole");
  }

  /** Plans a frame with segments of these lengths and returns its length on the wire. */
  abstract plan(length0: number, length1: number, length2: number, length3: number): number;

  /** Completes the frame planned last, whose segments were written behind `at`. */
  abstract seal(region: Region, at: number, tag: number): void;

  /**
   * Whether segment 3 can be sent without a copy: the last planned frame is then laid out without it, the first
   * `outAt3` bytes in one place, and the `portionsTail` bytes after the segment in another.
   */
  get gathers(): boolean {
    return false;
  }

  /** Completes the part before segment 3. */
  sealHead(_region: Region, _at: number, _tag: number, _segment3: Uint8Array): void {
    throw new Error("frames of this format are sent whole");
  }

  /** Completes the part after it. */
  sealTail(_region: Region, _at: number): void {
    throw new Error("frames of this format are sent whole");
  }

  /** Forgets keys. */
  destroy(): void {}

  protected readPreamble(region: Region, at: number): void {
    const view = region.view;
    const crc = region.crc32c(0, at, at + preambleCrcAt);
    if (crc !== view.getUint32(at + preambleCrcAt, true)) throw badFrame("wrong checksum of the preamble");
    this.tag = view.getUint8(at);
    const segments = view.getUint8(at + 1);
    if (segments < 1 || segments > maxSegments) throw badFrame(`${segments} segments`);
    if ((view.getUint8(at + 26) & 1) !== 0)
      throw badFrame("compressed, though no compression was negotiated");
    this.segments = segments;
    this.length0 = view.getUint32(at + 2, true);
    this.length1 = segments > 1 ? view.getUint32(at + 8, true) : 0;
    this.length2 = segments > 2 ? view.getUint32(at + 14, true) : 0;
    this.length3 = segments > 3 ? view.getUint32(at + 20, true) : 0;
    for (let i = 0; i < segments; i++) {
      const length = view.getUint32(at + 2 + 6 * i, true);
      if (length > maxSegmentBytes[i]!) throw badFrame(`segment ${i} of ${length} bytes`);
    }
    if (segments > 1 && view.getUint32(at + 2 + 6 * (segments - 1), true) === 0) {
      throw badFrame("its last segment is empty");
    }
  }

  protected planSegments(length0: number, length1: number, length2: number, length3: number): void {
    this.out0 = length0;
    this.out1 = length1;
    this.out2 = length2;
    this.out3 = length3;
    this.outSegments = length3 > 0 ? 4 : length2 > 0 ? 3 : length1 > 0 ? 2 : 1;
  }

  protected writePreamble(region: Region, at: number, tag: number): void {
    const view = region.view;
    view.setUint8(at, tag);
    view.setUint8(at + 1, this.outSegments);
    writeSegment(view, at + 2, this.out0, defaultAlignment);
    writeSegment(view, at + 8, this.out1, this.outSegments > 1 ? defaultAlignment : 0);
    writeSegment(view, at + 14, this.out2, this.outSegments > 2 ? defaultAlignment : 0);
    writeSegment(view, at + 20, this.out3, this.outSegments > 3 ? pageAlignment : 0);
    view.setUint16(at + 26, 0);
    view.setUint32(at + preambleCrcAt, region.crc32c(0, at, at + preambleCrcAt), true);
  }
}

export function badFrame(reason: string): RadosError {
  return new RadosError("SIPHON_RADOS_PROTOCOL", `invalid msgr2 frame: ${reason}`);
}

const defaultAlignment = 8;
const pageAlignment = 4096;

function writeSegment(view: DataView, at: number, length: number, alignment: number): void {
  view.setUint32(at, length, true);
  view.setUint16(at + 4, alignment, true);
}
