import { Writer } from "@siphon/wire";
import { Connection } from "../connection.ts";
import { entityType } from "../peer.ts";
import type { Region } from "../region.ts";
import { readU64, writeU64 } from "../u64.ts";
import { HandshakeV1 } from "./handshake.ts";
import type { MessageSigner } from "./signature.ts";
import { notV1, tag } from "./tags.ts";

const headerBytes = 53;
const footerBytes = 21;
const footerComplete = 1;
const footerNoCrc = 2;
const footerSigned = 4;
/** Maximum lengths of front, middle and data; no daemon sends more. */
const largestFront = 64 << 20;
const largestMiddle = 16 << 20;
const largestData = 128 << 20;

/** A connection that speaks the first protocol (doc/dev/network-protocol.rst): no encryption, messages signed. */
export class ConnectionV1 extends Connection {
  readonly #handshake = new HandshakeV1({
    messenger: this.messenger,
    peer: this.peer,
    auth: this.auth,
    send: (bytes) => this.#sendBytes(bytes),
    opened: (peerFeatures, signer) => {
      this.peerFeatures = peerFeatures;
      this.#signer = signer;
      this.becomeReady();
    },
    error: (code, reason) => this.error(code, reason),
  });
  #signer: MessageSigner | undefined;
  #frameAt = 0;
  #frontLength = 0;
  #middleLength = 0;
  #dataLength = 0;
  #incomplete = 0;

  begin(frontLength: number, middleLength: number, dataLength: number): void {
    this.#frameAt = this.reserve(1 + headerBytes + frontLength + middleLength + dataLength + footerBytes);
    this.#frontLength = frontLength;
    this.#middleLength = middleLength;
    this.#dataLength = dataLength;
    this.frontAt = this.#frameAt + 1 + headerBytes;
    this.middleAt = this.frontAt + frontLength;
    this.dataAt = this.middleAt + middleLength;
  }

  /**
   * u8 tag 7; ceph_msg_header: u64 seq, u64 tid, u16 type, u16 priority, u16 version, u32 lengths of front,
   * middle and data, u16 data offset, entity name of the sender { u8 type, u64 number }, u16 compat version,
   * u16 0, u32 crc of the header; front, middle, data; footer: u32 crc of each, u64 signature, u8 flags
   * (1 complete, 2 no data crc, 4 signed). Checksums are crc32c with seed 0.
   */
  commit(type: number, version: number, compatVersion: number, priority: number, tid: number): void {
    const { view } = this.region;
    const at = this.#frameAt + 1;
    const seq = ++this.outgoingSeq;
    view.setUint8(this.#frameAt, tag.message);
    writeU64(view, at, seq);
    writeU64(view, at + 8, tid);
    view.setUint16(at + 16, type, true);
    view.setUint16(at + 18, priority, true);
    view.setUint16(at + 20, version, true);
    view.setUint32(at + 22, this.#frontLength, true);
    view.setUint32(at + 26, this.#middleLength, true);
    view.setUint32(at + 30, this.#dataLength, true);
    view.setUint16(at + 34, 0);
    view.setUint8(at + 36, entityType.client);
    view.setBigUint64(at + 37, this.messenger.globalId, true);
    view.setUint16(at + 45, compatVersion, true);
    view.setUint16(at + 47, 0);
    view.setUint32(at + 49, this.region.crc32c(0, at, at + 49), true);
    const footer = this.dataAt + this.#dataLength;
    view.setUint32(footer, this.region.crc32c(0, this.frontAt, this.middleAt), true);
    view.setUint32(footer + 4, this.region.crc32c(0, this.middleAt, this.dataAt), true);
    view.setUint32(footer + 8, this.region.crc32c(0, this.dataAt, footer), true);
    const signer = this.#signer;
    signer?.sign(view, at + 49, footer, this.#frontLength, this.#middleLength, this.#dataLength, seq);
    view.setInt32(footer + 12, signer?.low ?? 0, true);
    view.setInt32(footer + 16, signer?.high ?? 0, true);
    view.setUint8(footer + 20, footerComplete | (signer === undefined ? 0 : footerSigned));
  }

  /** u8 tag 14, u32 seconds, u32 nanoseconds of our clock. */
  keepalive(): void {
    if (!this.isReady) return;
    const now = Date.now();
    const w = new Writer(9).u8(tag.keepalive2).u32(Math.floor(now / 1000));
    this.#sendBytes(w.u32((now % 1000) * 1_000_000).finish());
  }

  protected opened(): void {
    if (!this.messenger.modes[this.peer.type].includes("crc")) {
      throw this.error("SIPHON_RADOS_MODE", "secure mode is required, and protocol v1 cannot encrypt");
    }
    this.#handshake.begin();
  }

  protected get incompleteFrameBytes(): number {
    return this.#incomplete;
  }

  protected receive(region: Region, start: number, end: number): number {
    let at = start;
    let frames = 0;
    this.#incomplete = 0;
    while (!this.isClosed && at < end) {
      const isOpen = this.#handshake.isDone;
      const taken = isOpen ? this.#receiveTagged(region, at, end) : this.#handshake.receive(region, at, end);
      if (taken === 0) break;
      at += taken;
      if (isOpen) frames++;
    }
    this.messenger.noteFrames(frames);
    return this.isClosed ? end : at;
  }

  protected forget(): void {
    this.#signer = undefined;
  }

  #receiveTagged(region: Region, at: number, end: number): number {
    const kind = region.bytes[at]!;
    switch (kind) {
      case tag.message:
        return this.#receiveMessage(region, at, end);
      case tag.ack:
        return end - at < 9 ? 0 : 9;
      case tag.keepalive:
        return 1;
      case tag.keepalive2:
        if (end - at < 9) return 0;
        this.#sendBytes(Buffer.of(tag.keepalive2Ack, ...region.bytes.subarray(at + 1, at + 9)));
        return 9;
      case tag.keepalive2Ack:
        if (end - at < 9) return 0;
        this.lastKeepaliveAck = performance.now();
        return 9;
      case tag.close:
        throw this.error("SIPHON_RADOS_CONNECTION", "closed by the peer");
      default:
        throw notV1(`tag ${kind}`);
    }
  }

  #receiveMessage(region: Region, at: number, end: number): number {
    const view = region.view;
    const header = at + 1;
    const front = header + headerBytes;
    if (end < front) return 0;
    if (region.crc32c(0, header, header + 49) !== view.getUint32(header + 49, true)) {
      throw notV1("wrong checksum of a message header");
    }
    const frontLength = view.getUint32(header + 22, true);
    const middleLength = view.getUint32(header + 26, true);
    const dataLength = view.getUint32(header + 30, true);
    if (frontLength > largestFront || middleLength > largestMiddle || dataLength > largestData) {
      throw notV1(`a message of ${frontLength} + ${middleLength} + ${dataLength} bytes`);
    }
    const middle = front + frontLength;
    const data = middle + middleLength;
    const footer = data + dataLength;
    const length = footer + footerBytes - at;
    if (end - at < length) {
      this.#incomplete = length;
      return 0;
    }
    const flags = view.getUint8(footer + 20);
    if ((flags & footerComplete) === 0) return length;
    if (
      region.crc32c(0, front, middle) !== view.getUint32(footer, true) ||
      region.crc32c(0, middle, data) !== view.getUint32(footer + 4, true) ||
      ((flags & footerNoCrc) === 0 && region.crc32c(0, data, footer) !== view.getUint32(footer + 8, true))
    ) {
      throw notV1("wrong checksum of a message");
    }
    const seq = readU64(view, header);
    const signer = this.#signer;
    if (signer !== undefined) {
      signer.sign(view, header + 49, footer, frontLength, middleLength, dataLength, seq);
      if ((flags & footerSigned) === 0 || !signer.matches(view, footer + 12)) {
        throw this.error("SIPHON_RADOS_UNTRUSTED", "wrong signature of a message");
      }
    }
    if (seq <= this.incomingSeq) return length;
    this.incomingSeq = seq;
    const message = this.incoming;
    message.region = region;
    message.tid = readU64(view, header + 8);
    message.type = view.getUint16(header + 16, true);
    message.priority = view.getUint16(header + 18, true);
    message.version = view.getUint16(header + 20, true);
    message.compatVersion = view.getUint16(header + 45, true);
    message.front = front;
    message.frontLength = frontLength;
    message.middle = middle;
    message.middleLength = middleLength;
    message.data = data;
    message.dataLength = dataLength;
    this.deliver();
    return length;
  }

  #sendBytes(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.region.bytes.set(bytes, at);
  }
}
