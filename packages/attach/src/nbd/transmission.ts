import { errnoOf } from "@siphon/rbd/engine";
import { AttachError } from "../errors.ts";
import type { ByteBudget } from "../server/byte-budget.ts";
import { ioKind } from "../server/io-metrics.ts";
import { blockStatus } from "./block-status.ts";
import { parseStatusPayload } from "./meta-context.ts";
import type { SegmentPool } from "./payload.ts";
import {
  command,
  commandFlag,
  extendedRequestBytes,
  extendedRequestMagic,
  maxPayload,
  nbdError,
  nbdErrorOf,
  requestBytes,
  requestMagic,
} from "./protocol.ts";
import { refusal } from "./refusal.ts";
import { Replies } from "./replies.ts";
import type { ReplyStream } from "./reply-stream.ts";
import { NbdRequest, type RequestOwner } from "./request.ts";
import type { MetaContext, Session } from "./session.ts";

/** Events of a transmission for its connection. */
export interface TransmissionEvents {
  /** Replies are waiting in the stream. */
  replied(): void;
}

/**
 * The second phase of a connection: requests are carried out concurrently and answered in the order of completion. It
 * reads the client's bytes as long as the bytes in flight stay below a limit.
 */
export class Transmission implements RequestOwner {
  readonly stream: ReplyStream;
  readonly segments: SegmentPool;
  readonly dataRoom: number;
  readonly sendsHoles: boolean;
  /** Unanswered requests. */
  inFlight = 0;
  /** The client has disconnected, or the server takes no more requests from it. */
  isStopped = false;
  /** The client has sent NBD_CMD_DISC. */
  hasLeft = false;

  readonly #session: Session;
  readonly #budget: ByteBudget;
  readonly #replies: Replies;
  readonly #events: TransmissionEvents;
  readonly #extended: boolean;
  readonly #headerBytes: number;
  readonly #idle: NbdRequest[] = [];
  #isClosed = false;
  /** Bytes in flight, plus a constant for each request; replies count until the client's socket has taken them. */
  #cost = 0;
  /** The part of `#cost` that belongs to requests without an answer. */
  #costInFlight = 0;
  /** The request whose payload is being received, and how much of it is missing. */
  #receiving: NbdRequest | undefined;
  #payloadLeft = 0;

  constructor(
    session: Session,
    stream: ReplyStream,
    segments: SegmentPool,
    budget: ByteBudget,
    events: TransmissionEvents,
  ) {
    this.#session = session;
    this.#budget = budget;
    this.stream = stream;
    this.segments = segments;
    this.#events = events;
    this.#replies = new Replies(stream, session.replies);
    this.#extended = session.replies === "extended";
    this.#headerBytes = this.#extended ? extendedRequestBytes : requestBytes;
    this.dataRoom = this.#replies.dataRoom;
    this.sendsHoles = session.replies !== "simple";
  }

  /** Too much is in flight, here or in the whole process, to take more now. */
  get isFull(): boolean {
    if (this.#payloadLeft > 0) return false;
    return this.#cost >= mostInFlight || !this.#budget.admits(this.#cost);
  }

  /** It has nothing in flight whose completion would make room. */
  get waitsForOthers(): boolean {
    return this.#cost === 0;
  }

  /** The client's socket has taken replies that counted `cost`. */
  settled(cost: number): void {
    if (this.#isClosed) return;
    this.#cost -= cost;
    this.#budget.give(cost);
  }

  /**
   * Takes requests from the bytes from `start` up to `end` and returns where it stopped: at the end, before an
   * incomplete header, or anywhere if it is full.
   */
  receive(bytes: Buffer, view: DataView, start: number, end: number): number {
    let at = start;
    while (at < end && !this.isFull) {
      if (this.isStopped) return end;
      if (this.#receiving !== undefined) {
        at += this.#receivePayload(this.#receiving, bytes, at, end);
      } else {
        if (end - at < this.#headerBytes) break;
        this.#receiveHeader(view, at);
        at += this.#headerBytes;
      }
    }
    return at;
  }

  /** Takes no more requests; an incomplete one is dropped. */
  stop(): void {
    this.isStopped = true;
    this.#payloadLeft = 0;
    const receiving = this.#receiving;
    this.#receiving = undefined;
    if (receiving !== undefined) this.#retire(receiving);
  }

  /** The client is gone: waits for the requests in flight without answering them. */
  close(): void {
    this.#isClosed = true;
    // Requests in flight release their memory when they end.
    this.#budget.give(this.#cost - this.#costInFlight);
    this.stop();
  }

  completed(request: NbdRequest): void {
    if (request.result < 0 || this.#isClosed) {
      this.#answer(request);
      return;
    }
    if (!request.isFlushing) {
      if (request.length < request.step) {
        // The device may have shrunk meanwhile.
        request.result = -nbdError.EINVAL;
        this.#answer(request);
        return;
      }
      request.done += request.step;
      if (request.done < request.total) {
        this.#step(request);
        return;
      }
      const needsFlush = (request.flags & commandFlag.fua) !== 0 && this.#session.export.device.volatile;
      if (needsFlush && writes(request.command)) {
        this.#flush(request);
        return;
      }
    }
    this.#answer(request);
  }

  #receiveHeader(view: DataView, at: number): void {
    const magic = view.getUint32(at);
    if (magic !== (this.#extended ? extendedRequestMagic : requestMagic)) {
      throw new AttachError("SIPHON_ATTACH_PROTOCOL", `a request starts with 0x${magic.toString(16)}`);
    }
    if (view.getUint16(at + 6) === command.disconnect) {
      this.hasLeft = true;
      this.isStopped = true;
      return;
    }
    const request = this.#idle.pop() ?? new NbdRequest(this);
    request.parse(view, at, this.#extended);
    const payload = this.#carriesPayload(request) ? request.total : 0;
    if (payload > maxPayload) {
      throw new AttachError(
        "SIPHON_ATTACH_PROTOCOL",
        `a request has ${payload} bytes; the maximum is ${maxPayload}`,
      );
    }
    request.refusal = refusal(request, this.#session);
    const moves = request.refusal === 0 ? this.#answerBytes(request) : 0;
    request.cost = Math.max(moves, payload) + overhead;
    this.#cost += request.cost;
    this.#costInFlight += request.cost;
    this.#budget.take(request.cost);
    this.inFlight++;
    if (payload === 0) {
      this.#start(request);
      return;
    }
    this.#receiving = request;
    this.#payloadLeft = payload;
    if (request.refusal === 0) request.payload.expect(payload);
  }

  /**
   * Whether bytes follow the header. A write has them with and without the flag that extended headers have for it:
   * QEMU's client leaves the flag out. Any other command has them if its flag says so; if they are not allowed, they
   * are skipped and the command is refused.
   */
  #carriesPayload({ command: code, flags }: NbdRequest): boolean {
    return code === command.write || (this.#extended && (flags & commandFlag.payloadLength) !== 0);
  }

  /** Bytes of memory that the answer may take. */
  #answerBytes({ command: code, total }: NbdRequest): number {
    if (code === command.read) return total;
    return code === command.blockStatus ? this.#session.contexts.length * statusBytes : 0;
  }

  /** Takes bytes of the payload and returns how many; those of a refused request are dropped. */
  #receivePayload(request: NbdRequest, bytes: Buffer, start: number, end: number): number {
    const portion = Math.min(end - start, this.#payloadLeft);
    if (request.refusal === 0) request.payload.append(bytes, start, start + portion);
    this.#payloadLeft -= portion;
    if (this.#payloadLeft === 0) {
      this.#receiving = undefined;
      this.#start(request);
    }
    return portion;
  }

  #start(request: NbdRequest): void {
    request.result = 0;
    if (request.refusal !== 0) {
      this.#answer(request);
      return;
    }
    const kind = kindOf[request.command];
    if (kind !== undefined) request.startedAt = this.#session.export.metrics.started();
    if (request.command === command.blockStatus) void this.#tellStatus(request);
    else if (request.command === command.flush) this.#flush(request);
    else if (request.command === command.cache || request.total === 0) this.#answer(request);
    else this.#step(request);
  }

  #flush(request: NbdRequest): void {
    request.isFlushing = true;
    request.offset = 0;
    request.length = 0;
    this.#session.export.device.flush(request);
  }

  /** Carries out the next part of a request: all of it, unless it could be as large as the device. */
  #step(request: NbdRequest): void {
    const { device } = this.#session.export;
    const left = request.total - request.done;
    request.offset = request.start + request.done;
    if (request.command === command.read) {
      request.step = request.length = left;
      device.read(request);
    } else if (request.command === command.write) {
      request.step = request.length = left;
      device.write(request);
    } else if (request.writesZeros) {
      request.step = request.length = Math.min(left, zeroStep);
      device.write(request);
    } else {
      // Steps end at object boundaries, so that no object is visited twice.
      request.step = request.length = Math.min(left, rangeStep - (request.offset % rangeStep));
      if (request.command === command.trim) device.discard(request);
      else device.writeZeroes(request);
    }
  }

  async #tellStatus(request: NbdRequest): Promise<void> {
    const { export: served } = this.#session;
    try {
      const wanted = this.#wantedContexts(request);
      const onlyFirst = (request.flags & commandFlag.reqOne) !== 0;
      const longestExtent = this.#extended ? Number.MAX_SAFE_INTEGER : longestCompactExtent;
      const query = { offset: request.start, length: request.total, onlyFirst, longestExtent };
      if (wanted === undefined || request.start + request.total > served.device.size || request.total === 0) {
        request.refusal = nbdError.EINVAL;
      } else {
        const statuses = await blockStatus(served.extents!, wanted, query);
        if (!this.#isClosed) this.#recount(request, this.#replies.status(request, statuses));
      }
    } catch (error) {
      request.error = error instanceof Error ? error : undefined;
      request.result = errnoOf(error);
    }
    this.#answer(request);
  }

  /** All contexts, or those that the payload names, with the length of the range in it. */
  #wantedContexts(request: NbdRequest): readonly MetaContext[] | undefined {
    const { contexts } = this.#session;
    if ((request.flags & commandFlag.payloadLength) === 0) return contexts;
    const payload = Buffer.alloc(request.total);
    request.payload.copyTo(payload, 0, 0, request.total);
    const { length, wanted } = parseStatusPayload(payload, contexts);
    request.total = length;
    return wanted;
  }

  #answer(request: NbdRequest): void {
    const failed = request.refusal !== 0 || request.result < 0;
    const kind = kindOf[request.command];
    if (kind !== undefined && request.refusal === 0) {
      this.#session.export.metrics.finished(kind, request.total, request.startedAt, failed);
    }
    if (!this.#isClosed) {
      if (failed) this.#replies.refuse(request, request.refusal || nbdErrorOf(request.result));
      else if (request.command === command.read) this.#replies.data(request);
      else if (request.command !== command.blockStatus) this.#replies.acknowledge(request);
      this.stream.finish(request.cost);
    }
    this.#retire(request);
    this.#events.replied();
  }

  /** From now on the request is charged with the size of its answer. */
  #recount(request: NbdRequest, bytes: number): void {
    const less = request.cost - (bytes + overhead);
    request.cost -= less;
    this.#cost -= less;
    this.#costInFlight -= less;
    this.#budget.give(less);
  }

  #retire(request: NbdRequest): void {
    this.inFlight--;
    this.#costInFlight -= request.cost;
    if (this.#isClosed) this.#budget.give(request.cost);
    request.clear();
    if (this.#idle.length < mostIdle) this.#idle.push(request);
  }
}

/** How many bytes may be in flight before a client has to wait; one more request of any size may follow. */
const mostInFlight = 32 << 20;
/** Bytes charged for a request besides its data. */
const overhead = 512;
const mostIdle = 1024;
/** Memory for the longest answer about one context, while it is computed and sent. */
const statusBytes = 1 << 20;
/** Bytes of zeros written at a time if the client wants no hole. */
const zeroStep = 4 << 20;
/** Trims and zeroes go through the device this many bytes at a time. */
const rangeStep = 512 << 20;
/** A multiple of every sensible block size that fits in 32 bits. */
const longestCompactExtent = 0x1_0000_0000 - (64 << 20);

/** Kinds of I/O of the operations; cache and block status are no I/O. */
const kindOf: readonly (number | undefined)[] = [
  ioKind.read,
  ioKind.write,
  undefined,
  ioKind.flush,
  ioKind.discard,
  undefined,
  ioKind.writeZeroes,
];

function writes(code: number): boolean {
  return code === command.write || code === command.trim || code === command.writeZeroes;
}
