import type { Extent } from "../extent-source.ts";
import type { BlockStatus } from "./block-status.ts";
import {
  extendedReplyBytes,
  extendedReplyMagic,
  replyFlagDone,
  replyType,
  simpleReplyBytes,
  simpleReplyMagic,
  structuredReplyBytes,
  structuredReplyMagic,
  writeU64,
} from "./protocol.ts";
import type { ReplyStream } from "./reply-stream.ts";
import type { NbdRequest } from "./request.ts";
import type { Session } from "./session.ts";

/** Writes the replies of one session: simple ones, structured chunks or extended chunks. */
export class Replies {
  /** Bytes in front of the data of a read. */
  readonly dataRoom: number;
  readonly #stream: ReplyStream;
  readonly #chunked: boolean;
  readonly #extended: boolean;
  readonly #headerBytes: number;

  constructor(stream: ReplyStream, replies: Session["replies"]) {
    this.#stream = stream;
    this.#chunked = replies !== "simple";
    this.#extended = replies === "extended";
    this.#headerBytes = this.#extended ? extendedReplyBytes : structuredReplyBytes;
    this.dataRoom = this.#chunked ? this.#headerBytes + 8 : simpleReplyBytes;
  }

  /** Success without data. */
  acknowledge(request: NbdRequest): void {
    if (!this.#extended) this.#simple(request, 0);
    else this.#small(request, replyType.none, 0);
  }

  /**
   * An error chunk: u32 error, u16 length of a message for people, the message.
   *
   * @param error of the protocol
   */
  refuse(request: NbdRequest, error: number): void {
    if (!this.#chunked) {
      this.#simple(request, error);
      return;
    }
    const at = this.#small(request, replyType.error, 6);
    this.#stream.chunk.view.setUint32(at, error);
    this.#stream.chunk.view.setUint16(at + 4, 0);
  }

  /** The data that was read, and the holes. */
  data(request: NbdRequest): void {
    const { holes, total } = request;
    if (holes.count > 0) {
      this.#pieces(request);
    } else if (total === 0 && this.#chunked) {
      this.#small(request, replyType.none, 0);
    } else {
      request.makePlace();
      const { view } = request.chunk!;
      const { place } = request;
      if (this.#chunked) {
        this.#header(view, place, request, replyFlagDone, replyType.offsetData, 8 + total);
        writeU64(view, place + this.#headerBytes, request.start);
      } else {
        simpleHeader(view, place, request, 0);
      }
      this.#stream.push(request.chunk!, place, place + this.dataRoom + total);
    }
  }

  /**
   * A status chunk for each context: u32 context and u32 length, u32 flags for each extent; when extended u32 context, u32 number
   * of extents and u64 length, u64 flags for each.
   *
   * @returns bytes of the reply
   */
  status(request: NbdRequest, statuses: readonly BlockStatus[]): number {
    let bytes = 0;
    statuses.forEach(({ context, extents, flagsOf }, i) => {
      const done = i === statuses.length - 1 ? replyFlagDone : 0;
      const front = this.#extended ? 8 : 4;
      const each = this.#extended ? 16 : 8;
      const length = front + each * extents.length;
      bytes += this.#headerBytes + length;
      const type = this.#extended ? replyType.blockStatusExtended : replyType.blockStatus;
      let at = this.#chunk(request, done, type, length, length);
      const { view } = this.#stream.chunk;
      view.setUint32(at, context.id);
      if (this.#extended) view.setUint32(at + 4, extents.length);
      at += front;
      for (const extent of extents) {
        this.#extent(view, at, extent, flagsOf(extent));
        at += each;
      }
    });
    return bytes;
  }

  #extent(view: DataView, at: number, { length }: Extent, flags: number): void {
    if (this.#extended) {
      writeU64(view, at, length);
      writeU64(view, at + 8, flags);
    } else {
      view.setUint32(at, length);
      view.setUint32(at + 4, flags);
    }
  }

  /** Data and holes in turn, a chunk each: u64 offset and the data, or u64 offset, u32 length of the hole. */
  #pieces(request: NbdRequest): void {
    const { holes, start, total } = request;
    let position = 0;
    for (let i = 0; i <= holes.count; i++) {
      const holeStart = holes.starts[i] ?? total;
      const holeEnd = holes.ends[i] ?? total;
      if (holeStart > position) {
        const length = holeStart - position;
        const flags = holeStart === total ? replyFlagDone : 0;
        const at = this.#chunk(request, flags, replyType.offsetData, 8 + length, 8);
        writeU64(this.#stream.chunk.view, at, start + position);
        this.#stream.push(request.chunk!, request.dataAt + position, request.dataAt + holeStart);
      }
      if (holeEnd > holeStart) {
        const flags = holeEnd === total ? replyFlagDone : 0;
        const at = this.#chunk(request, flags, replyType.offsetHole, 12, 12);
        writeU64(this.#stream.chunk.view, at, start + holeStart);
        this.#stream.chunk.view.setUint32(at + 8, holeEnd - holeStart);
      }
      position = holeEnd;
    }
  }

  /** The last chunk of a reply, with `length` bytes of payload; returns where to write them. */
  #small(request: NbdRequest, type: number, length: number): number {
    return this.#chunk(request, replyFlagDone, type, length, length);
  }

  /**
   * Sends the header of a chunk with the first `room` bytes of its payload.
   *
   * @returns where in the stream's chunk to write the payload, before the end of the tick
   */
  #chunk(request: NbdRequest, flags: number, type: number, length: number, room: number): number {
    const stream = this.#stream;
    const bytes = this.#headerBytes + room;
    const at = stream.reserve(bytes);
    this.#header(stream.chunk.view, at, request, flags, type, length);
    stream.push(stream.chunk, at, at + bytes);
    stream.release(stream.chunk);
    return at + this.#headerBytes;
  }

  #header(
    view: DataView,
    at: number,
    request: NbdRequest,
    flags: number,
    type: number,
    length: number,
  ): void {
    view.setUint32(at, this.#extended ? extendedReplyMagic : structuredReplyMagic);
    view.setUint16(at + 4, flags);
    view.setUint16(at + 6, type);
    view.setUint32(at + 8, request.cookieHigh);
    view.setUint32(at + 12, request.cookieLow);
    if (!this.#extended) {
      view.setUint32(at + 16, length);
      return;
    }
    view.setUint32(at + 16, request.startHigh);
    view.setUint32(at + 20, request.startLow);
    writeU64(view, at + 24, length);
  }

  #simple(request: NbdRequest, error: number): void {
    const stream = this.#stream;
    const at = stream.reserve(simpleReplyBytes);
    simpleHeader(stream.chunk.view, at, request, error);
    stream.push(stream.chunk, at, at + simpleReplyBytes);
    stream.release(stream.chunk);
  }
}

function simpleHeader(view: DataView, at: number, request: NbdRequest, error: number): void {
  view.setUint32(at, simpleReplyMagic);
  view.setUint32(at + 4, error);
  view.setUint32(at + 8, request.cookieHigh);
  view.setUint32(at + 12, request.cookieLow);
}
