import { ImageRequest } from "@siphon/rbd/engine";
import type { Chunk } from "./chunk-pool.ts";
import { Holes } from "./holes.ts";
import { Payload, type SegmentPool } from "./payload.ts";
import { command, commandFlag, readU64 } from "./protocol.ts";
import type { ReplyStream } from "./reply-stream.ts";

/** The owner of a request, which gets it back at the end. */
export interface RequestOwner {
  readonly stream: ReplyStream;
  readonly segments: SegmentPool;
  /** Bytes in front of the data of a read's reply. */
  readonly dataRoom: number;
  /** Whether replies may say "zeros" instead of sending them. */
  readonly sendsHoles: boolean;
  completed(request: NbdRequest): void;
}

/** A client's request from its header to its reply. A connection reuses it. */
export class NbdRequest extends ImageRequest {
  command = 0;
  flags = 0;
  /** The client's cookie: eight bytes as two numbers. */
  cookieHigh = 0;
  cookieLow = 0;
  /** As the client sent it: echoed in extended replies. */
  startHigh = 0;
  startLow = 0;
  start = 0;
  total = 0;
  /** Bytes of `total` that are done; long requests are carried out in steps. */
  done = 0;
  /** Bytes of the step that the device carries out now. */
  step = 0;
  /** An error of the protocol known before anything was done, or 0. */
  refusal = 0;
  /** The data is zeros instead of the payload. */
  writesZeros = false;
  /** The client wants the data in one piece. */
  unfragmented = false;
  /** All data is written and is being flushed (FUA). */
  isFlushing = false;
  /** `performance.now()` at the start. */
  startedAt = 0;
  /** Bytes charged against the client's in-flight limit. */
  cost = 0;

  readonly payload: Payload;
  readonly holes = new Holes();
  /** Where the reply of a read is built: a place for its header, and behind it the data. */
  chunk: Chunk | undefined;
  place = 0;
  readonly #owner: RequestOwner;

  constructor(owner: RequestOwner) {
    super();
    this.#owner = owner;
    this.client = owner;
    this.payload = new Payload(owner.segments);
  }

  /**
   * Starts with a header: u32 magic, u16 flags, u16 command, u64 cookie, u64 start, and the length, which is u64 in
   * extended headers and u32 in others.
   */
  parse(view: DataView, at: number, extended: boolean): void {
    this.flags = view.getUint16(at + 4);
    this.command = view.getUint16(at + 6);
    this.cookieHigh = view.getUint32(at + 8);
    this.cookieLow = view.getUint32(at + 12);
    this.startHigh = view.getUint32(at + 16);
    this.startLow = view.getUint32(at + 20);
    this.start = readU64(view, at + 16);
    this.total = extended ? readU64(view, at + 24) : view.getUint32(at + 24);
    this.done = 0;
    this.isFlushing = false;
    this.writesZeros = this.command === command.writeZeroes && (this.flags & commandFlag.noHole) !== 0;
    this.unfragmented = (this.flags & commandFlag.df) !== 0;
  }

  override fill(into: Buffer, at: number, position: number, length: number): void {
    if (this.writesZeros) into.fill(0, at, at + length);
    else this.payload.copyTo(into, at, position, length);
  }

  override take(bytes: Buffer, start: number, end: number, position: number): void {
    this.makePlace();
    if (this.holes.count > 0) this.holes.remove(position, position + end - start);
    bytes.copy(this.chunk!.bytes, this.dataAt + position, start, end);
  }

  override takeZeros(position: number, length: number): void {
    if (length >= leastHole && this.#owner.sendsHoles && !this.unfragmented) {
      this.holes.add(position, position + length);
      return;
    }
    this.makePlace();
    if (this.holes.count > 0) this.holes.remove(position, position + length);
    this.chunk!.bytes.fill(0, this.dataAt + position, this.dataAt + position + length);
  }

  override completed(): void {
    this.#owner.completed(this);
  }

  get dataAt(): number {
    return this.place + this.#owner.dataRoom;
  }

  /** Reserves room for the whole reply when its first data arrives, so that the reply is sent in one piece. */
  makePlace(): void {
    if (this.chunk !== undefined) return;
    const stream = this.#owner.stream;
    this.place = stream.reserve(this.#owner.dataRoom + this.total);
    this.chunk = stream.chunk;
  }

  /** Releases all memory. */
  clear(): void {
    this.payload.clear();
    this.holes.clear();
    if (this.chunk !== undefined) this.#owner.stream.release(this.chunk);
    this.chunk = undefined;
    this.error = undefined;
  }
}

/** Shorter runs of zeros are sent: their announcement would cost more. */
const leastHole = 4096;
