import { Writer } from "@siphon/wire";
import { Connection } from "../connection.ts";
import { carryBytes } from "../memory.ts";
import type { DataSink } from "../message.ts";
import { Region } from "../region.ts";
import { readU64, writeU64 } from "../u64.ts";
import { CrcFramesRev1 } from "./crc-frames.ts";
import { badFrame, type FrameCodec, frameTag, preambleBytes } from "./frame.ts";
import { Handshake } from "./handshake.ts";

const messageHeaderBytes = 41;

/**
 * A connection that speaks msgr2 (doc/dev/msgr2.rst), revision 1, or 0 with older peers. Compression is declined by not
 * offering the feature.
 */
export class ConnectionV2 extends Connection {
  readonly #handshake = new Handshake({
    messenger: this.messenger,
    peer: this.peer,
    auth: this.auth,
    sendBytes: (bytes) => {
      const at = this.reserve(bytes.length);
      this.region.bytes.set(bytes, at);
    },
    sendControl: (tag, payload) => this.#sendControl(tag, payload),
    useCodec: (codec) => {
      this.#codec = codec;
    },
    opened: (peerFeatures) => {
      this.peerFeatures = peerFeatures;
      this.becomeReady();
    },
    error: (code, reason) => this.error(code, reason),
  });
  #codec: FrameCodec = new CrcFramesRev1();
  #headRead = false;
  /** The current frame is a large message that may be delivered in portions. */
  #mayStream = false;
  /** Sink of a large message's data. */
  #sink: DataSink | undefined;
  #streamedFront: Region | undefined;
  /** Sequence number of the message whose header was read last. */
  #headerSeq = 0;
  #frameAt = 0;
  /** The data of the message being laid out, if it is sent without a copy. */
  #data: Uint8Array | undefined;

  override get gathers(): boolean {
    return this.#codec.gathers;
  }

  begin(frontLength: number, middleLength: number, dataLength: number, data?: Uint8Array): void {
    const codec = this.#codec;
    const length = codec.plan(messageHeaderBytes, frontLength, middleLength, dataLength);
    const at = this.reserve(data === undefined ? length : codec.outAt3);
    this.#data = data;
    this.#frameAt = at;
    this.frontAt = at + codec.outAt1;
    this.middleAt = at + codec.outAt2;
    this.dataAt = at + codec.outAt3;
  }

  /**
   * ceph_msg_header2: u64 seq, u64 tid, u16 type, u16 priority, u16 version, u32 padding before the data,
   * u16 data offset, u64 highest seq received, u8 flags, u16 compat version, u16 0.
   */
  commit(type: number, version: number, compatVersion: number, priority: number, tid: number): void {
    const view = this.region.view;
    const at = this.#frameAt + this.#codec.outAt0;
    writeU64(view, at, ++this.outgoingSeq);
    writeU64(view, at + 8, tid);
    view.setUint16(at + 16, type, true);
    view.setUint16(at + 18, priority, true);
    view.setUint16(at + 20, version, true);
    view.setUint32(at + 22, 0);
    view.setUint16(at + 26, 0);
    writeU64(view, at + 28, this.incomingSeq);
    view.setUint8(at + 36, 0);
    view.setUint16(at + 37, compatVersion, true);
    view.setUint16(at + 39, 0);
    const codec = this.#codec;
    const data = this.#data;
    if (data === undefined) {
      codec.seal(this.region, this.#frameAt, frameTag.message);
      return;
    }
    codec.sealHead(this.region, this.#frameAt, frameTag.message, data);
    this.sendInPlace(data);
    codec.sealTail(this.region, this.reserve(codec.portionsTail));
    this.#data = undefined;
  }

  /** KEEPALIVE2: u32 seconds, u32 nanoseconds of our clock. */
  keepalive(): void {
    if (!this.isReady) return;
    const now = Date.now();
    const w = new Writer(8).u32(Math.floor(now / 1000)).u32((now % 1000) * 1_000_000);
    this.#sendControl(frameTag.keepalive2, w.finish());
  }

  protected opened(): void {
    this.#handshake.begin();
  }

  protected get incompleteFrameBytes(): number {
    return this.#headRead && !this.#mayStream ? this.#codec.frameBytes : 0;
  }

  protected receive(region: Region, start: number, end: number): number {
    let at = start;
    if (this.#handshake.awaitsBanner) {
      const length = this.#handshake.receiveBanner(region, at, end);
      if (length === 0) return at;
      at += length;
    }
    let frames = 0;
    while (!this.isClosed) {
      const codec = this.#codec;
      if (this.#sink !== undefined) {
        at = this.#continueStream(region, at, end);
        if (this.#sink !== undefined) break;
        frames++;
        continue;
      }
      if (!this.#headRead) {
        if (end - at < codec.headBytes) break;
        codec.readHead(region, at);
        this.#headRead = true;
        this.#mayStream = this.#isLargeMessage(codec);
      }
      const length = codec.frameBytes;
      if (end - at < length) {
        if (!this.#mayStream || end - at < codec.portionsAt) break;
        if (this.#beginStream(region, at)) at += codec.portionsAt;
        else break;
        continue;
      }
      this.#headRead = false;
      if (codec.readBody(region, at)) {
        if (codec.tag === frameTag.message) {
          this.#handleMessage(region);
          frames++;
        } else this.#handleControl(codec, region, at);
      }
      at += length;
    }
    this.messenger.noteFrames(frames);
    return this.isClosed ? end : at;
  }

  protected forget(): void {
    this.#codec.destroy();
    this.#sink = undefined;
  }

  #isLargeMessage(codec: FrameCodec): boolean {
    if (codec.frameBytes <= carryBytes || codec.tag !== frameTag.message) return false;
    const { portionsAt } = codec;
    return portionsAt > 0 && portionsAt <= carryBytes;
  }

  /**
   * Starts to deliver the data of a large message in portions; false if there is no sink. The header is read before its
   * checksum is verified, but used only to request the sink.
   */
  #beginStream(region: Region, at: number): boolean {
    const codec = this.#codec;
    codec.at0 = at + preambleBytes;
    if (!this.#takeHeader(region)) {
      this.#mayStream = false;
      return false;
    }
    const sink = this.sinkForLarge();
    if (sink === undefined) {
      this.#mayStream = false;
      return false;
    }
    codec.beginPortions(region, at);
    this.#sink = sink;
    // The front is no longer in the receive buffer when the data is complete.
    const { at1, at2, length1, length2 } = codec;
    const kept = Region.allocate(length1 + length2);
    region.bytes.copy(kept.bytes, 0, at1, at1 + length1);
    region.bytes.copy(kept.bytes, length1, at2, at2 + length2);
    this.#streamedFront = kept;
    return true;
  }

  /** Returns where it stopped; without a sink the portions have ended. */
  #continueStream(region: Region, start: number, end: number): number {
    const codec = this.#codec;
    let at = start;
    if (codec.portionsLeft > 0) {
      const taken = codec.takePortion(region, at, end - at);
      if (codec.portionBytes > 0) this.#sink!(region.bytes, at, at + codec.portionBytes);
      if (this.isClosed) return end;
      at += taken;
    }
    if (codec.portionsLeft > 0 || end - at < codec.portionsTail) return at;
    this.#sink = undefined;
    this.#headRead = false;
    this.#mayStream = false;
    if (codec.endPortions(region, at)) {
      const message = this.incoming;
      this.incomingSeq = this.#headerSeq;
      message.region = this.#streamedFront!;
      message.front = 0;
      message.middle = codec.length1;
      message.data = 0;
      message.streamed = true;
      this.deliver();
    }
    this.#streamedFront = undefined;
    return at + codec.portionsTail;
  }

  #handleMessage(region: Region): void {
    if (!this.#takeHeader(region)) return;
    this.incomingSeq = this.#headerSeq;
    this.deliver();
  }

  /** Sets `incoming` from the header; false for a duplicate message, which is dropped. */
  #takeHeader(region: Region): boolean {
    if (!this.#handshake.isDone) throw badFrame("a message before the end of the handshake");
    const codec = this.#codec;
    if (codec.length0 !== messageHeaderBytes) throw badFrame(`a message header of ${codec.length0} bytes`);
    const view = region.view;
    const at = codec.at0;
    const seq = readU64(view, at);
    if (seq <= this.incomingSeq) return false;
    this.#headerSeq = seq;
    const message = this.incoming;
    message.region = region;
    message.streamed = false;
    message.tid = readU64(view, at + 8);
    message.type = view.getUint16(at + 16, true);
    message.priority = view.getUint16(at + 18, true);
    message.version = view.getUint16(at + 20, true);
    message.compatVersion = view.getUint16(at + 37, true);
    message.front = codec.at1;
    message.frontLength = codec.length1;
    message.middle = codec.at2;
    message.middleLength = codec.length2;
    message.data = codec.at3;
    message.dataLength = codec.length3;
    return true;
  }

  #handleControl(codec: FrameCodec, region: Region, at: number): void {
    const { tag, at0, length0, frameBytes } = codec;
    const payload = Buffer.from(region.bytes.subarray(at0, at0 + length0));
    switch (tag) {
      case frameTag.keepalive2:
        if (!this.isReady || length0 < 8) throw badFrame("a keepalive before the end of the handshake");
        this.#sendControl(frameTag.keepalive2Ack, payload.subarray(0, 8));
        return;
      case frameTag.keepalive2Ack:
        this.lastKeepaliveAck = performance.now();
        return;
      case frameTag.ack:
        // Acknowledgements are for sessions that outlive connections, unlike those of clients.
        return;
      case frameTag.sessionReset:
      case frameTag.sessionRetry:
      case frameTag.sessionRetryGlobal:
      case frameTag.sessionReconnectOk:
      case frameTag.wait:
        // Answers to a session resumption, which this client never requests: a new connection resolves it.
        throw this.error("SIPHON_RADOS_CONNECTION", "the daemon still has another session with this client");
      default: {
        const raw = Buffer.from(region.bytes.subarray(at, at + frameBytes));
        if (!this.#handshake.handle(tag, payload, raw)) throw badFrame(`tag ${tag}`);
      }
    }
  }

  /** Returns the frame as it is on the wire. */
  #sendControl(tag: number, payload: Uint8Array): Buffer {
    const length = this.#codec.plan(payload.length, 0, 0, 0);
    const at = this.reserve(length);
    const bytes = this.region.bytes;
    bytes.set(payload, at + this.#codec.outAt0);
    this.#codec.seal(this.region, at, tag);
    return Buffer.from(bytes.subarray(at, at + length));
  }
}
