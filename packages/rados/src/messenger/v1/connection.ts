import { Reader, readEntityAddr, Writer, writeEntityAddr } from "@siphon/wire";
import { RadosError } from "../../errors.ts";
import { authMethod } from "../auth.ts";
import { Connection, sameInstance } from "../connection.ts";
import { feature, requiredFeatures, supportedFeatures } from "../features.ts";
import { addrText, entityType } from "../peer.ts";
import type { Region } from "../region.ts";
import { readU64, writeU64 } from "../u64.ts";
import { MessageSigner } from "./signature.ts";

type Stage = "banner" | "connect" | "seq" | "open";

/** Tags, src/include/msgr.h. */
const tag = {
  ready: 1,
  resetSession: 2,
  wait: 3,
  retrySession: 4,
  retryGlobal: 5,
  close: 6,
  message: 7,
  ack: 8,
  keepalive: 9,
  badProtocol: 10,
  badAuthorizer: 11,
  features: 12,
  seq: 13,
  keepalive2: 14,
  keepalive2Ack: 15,
  challengeAuthorizer: 16,
} as const;

const banner = Buffer.from("ceph v027");
const legacyAddrBytes = 136;
const bannerBytes = banner.length + 2 * legacyAddrBytes;
const connectReplyBytes = 26;
const largestAuthorizer = 64 * 1024;
const headerBytes = 53;
const footerBytes = 21;
const flagLossy = 1;
const footerComplete = 1;
const footerNoCrc = 2;
const footerSigned = 4;
/** Versions of what is spoken with each kind of daemon (CEPH_MONC_PROTOCOL and so on). */
const protocolVersion = { mon: 15, osd: 24, mgr: 0 } as const;
/** The most front, middle and data a message may announce; larger is not Ceph. */
const largestFront = 64 << 20;
const largestMiddle = 16 << 20;
const largestData = 128 << 20;

/** A connection that speaks the first protocol (doc/dev/network-protocol.rst): no encryption, messages signed. */
export class ConnectionV1 extends Connection {
  #stage: Stage = "banner";
  #signer: MessageSigner | undefined;
  #connectSeq = 0;
  #authorizer: Uint8Array = Buffer.alloc(0);
  #challenged = false;
  #frameAt = 0;
  #frontLength = 0;
  #middleLength = 0;
  #dataLength = 0;
  #incomplete = 0;
  readonly #writer = new Writer(512);

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
    this.#writer
      .reset()
      .u8(tag.keepalive2)
      .u32(Math.floor(now / 1000))
      .u32((now % 1000) * 1_000_000);
    this.#sendWritten();
  }

  /** The server begins: its banner, its address, and ours as it sees it. */
  protected opened(): void {
    if (!this.messenger.modes[this.peer.type].includes("crc")) {
      throw this.error("SIPHON_RADOS_MODE", "secure mode is demanded, and protocol v1 cannot encrypt");
    }
    this.#writer.reset().raw(banner);
    this.#sendWritten();
  }

  protected get incompleteFrameBytes(): number {
    return this.#incomplete;
  }

  protected receive(region: Region, start: number, end: number): number {
    let at = start;
    let frames = 0;
    this.#incomplete = 0;
    while (!this.isClosed && at < end) {
      const taken =
        this.#stage === "open" ? this.#receiveTagged(region, at, end) : this.#handshake(region, at, end);
      if (taken === 0) break;
      at += taken;
      if (this.#stage === "open") frames++;
    }
    this.messenger.noteFrames(frames);
    return this.isClosed ? end : at;
  }

  protected forget(): void {
    this.#signer = undefined;
    this.#authorizer = Buffer.alloc(0);
  }

  #handshake(region: Region, at: number, end: number): number {
    if (this.#stage === "banner") return this.#receiveBanner(region, at, end);
    if (this.#stage === "connect") return this.#receiveConnectReply(region, at, end);
    if (end - at < 8) return 0;
    this.#writer.reset().u64(0);
    this.#sendWritten();
    this.#finishHandshake();
    return 8;
  }

  #receiveBanner(region: Region, at: number, end: number): number {
    const bytes = region.bytes;
    const known = Math.min(end - at, banner.length);
    if (bytes.compare(banner, 0, known, at, at + known) !== 0) {
      if (bytes.toString("latin1", at, Math.min(end, at + 7)) === "ceph v2") {
        throw bad("the peer speaks protocol v2 at this address; use v2: in mon_host");
      }
      throw bad("the peer does not begin as a Ceph daemon does");
    }
    if (end - at < bannerBytes) return 0;
    const r = new Reader(Buffer.from(bytes.subarray(at, at + bannerBytes)), "banner", banner.length);
    const theirs = readEntityAddr(r);
    const ours = readEntityAddr(r);
    const target = this.peer.addr;
    // A daemon that was told no address of its own says 0.0.0.0; the nonce still tells which run of it this is.
    const unspecified = theirs.address === "" || theirs.address === "0.0.0.0" || theirs.address === "::";
    if (unspecified ? theirs.nonce !== target.nonce : !sameInstance(theirs, target)) {
      throw this.error(
        "SIPHON_RADOS_CONNECTION",
        `another daemon answers at this address (${addrText(theirs)})`,
      );
    }
    this.messenger.learnAddr(ours);
    this.#stage = "connect";
    if (this.#authorizes) this.#authorizer = this.auth.request();
    writeEntityAddr(this.#writer.reset(), this.messenger.addr, 0n);
    this.#writeConnect();
    this.#sendWritten();
    return bannerBytes;
  }

  /** Monitors authenticate by messages once the connection is open; the others with the handshake. */
  get #authorizes(): boolean {
    return this.peer.type !== "mon";
  }

  /**
   * ceph_msg_connect: u64 features, u32 host type, u32 global seq, u32 connect seq, u32 protocol version, u32
   * auth method, u32 authorizer length, u8 flags (1: lossy); authorizer.
   */
  #writeConnect(): void {
    const globalSeq = Number(this.messenger.nextGlobalSeq() & 0xffffffffn);
    this.#writer
      .u64(supportedFeatures)
      .u32(entityType.client)
      .u32(globalSeq)
      .u32(this.#connectSeq)
      .u32(protocolVersion[this.peer.type])
      .u32(this.#authorizes ? this.auth.method : 0)
      .u32(this.#authorizer.length)
      .u8(flagLossy)
      .raw(this.#authorizer);
  }

  /**
   * ceph_msg_connect_reply: u8 tag, u64 features, u32 global seq, u32 connect seq, u32 protocol version, u32
   * authorizer reply length, u8 flags; authorizer reply.
   */
  #receiveConnectReply(region: Region, at: number, end: number): number {
    if (end - at < connectReplyBytes) return 0;
    const authorizerLength = region.view.getUint32(at + 21, true);
    if (authorizerLength > largestAuthorizer) throw bad(`an authorizer reply of ${authorizerLength} bytes`);
    const length = connectReplyBytes + authorizerLength;
    if (end - at < length) return 0;
    const r = new Reader(Buffer.from(region.bytes.subarray(at, at + length)), "connect reply");
    const answer = r.u8();
    const features = r.u64();
    const globalSeq = r.u32();
    const connectSeq = r.u32();
    const version = r.u32();
    r.u32();
    r.u8();
    this.#handleConnectReply(answer, features, globalSeq, connectSeq, version, r.raw(authorizerLength));
    return length;
  }

  #handleConnectReply(
    answer: number,
    features: bigint,
    globalSeq: number,
    connectSeq: number,
    version: number,
    authorizerReply: Buffer,
  ): void {
    switch (answer) {
      case tag.challengeAuthorizer:
        if (this.#challenged || !this.#authorizes) throw bad("a second challenge");
        this.#challenged = true;
        this.#authorizer = this.auth.more(authorizerReply);
        this.#connectAgain();
        return;
      case tag.ready:
      case tag.seq:
        this.#checkFeatures(features);
        this.#verify(authorizerReply);
        if (answer === tag.seq) this.#stage = "seq";
        else this.#finishHandshake();
        return;
      case tag.retryGlobal:
        this.messenger.raiseGlobalSeq(BigInt(globalSeq));
        this.#connectAgain();
        return;
      case tag.retrySession:
        this.#connectSeq = connectSeq;
        this.#connectAgain();
        return;
      case tag.resetSession:
        this.#connectSeq = 0;
        this.#connectAgain();
        return;
      case tag.badAuthorizer:
        throw this.auth.refused(-13, [this.auth.method]);
      case tag.features:
        throw this.error(
          "SIPHON_RADOS_MODE",
          `the daemon needs features that this client lacks (0x${(features & ~supportedFeatures).toString(16)})`,
        );
      case tag.badProtocol:
        throw this.error("SIPHON_RADOS_MODE", `the daemon speaks version ${version} of the protocol`);
      case tag.wait:
        throw this.error("SIPHON_RADOS_CONNECTION", "the daemon is in the middle of another session with us");
      default:
        throw bad(`answer ${answer} to connect`);
    }
  }

  /** Retries end where the connection's time limit does; each waits for the daemon's answer. */
  #connectAgain(): void {
    this.#writer.reset();
    this.#writeConnect();
    this.#sendWritten();
  }

  #checkFeatures(features: bigint): void {
    const missing = requiredFeatures & ~features;
    if (missing !== 0n) {
      throw this.error("SIPHON_RADOS_MODE", `the daemon lacks features (0x${missing.toString(16)})`);
    }
    this.peerFeatures = features;
  }

  #verify(authorizerReply: Buffer): void {
    if (!this.#authorizes) return;
    const { sessionKey } = this.auth.done(this.messenger.globalId, authorizerReply);
    if (this.auth.method !== authMethod.cephx || !this.messenger.signMessages) return;
    if (sessionKey === undefined || (this.peerFeatures & feature.CEPHX_V2) === 0n) {
      throw this.error("SIPHON_RADOS_MODE", "the daemon cannot sign messages as this client does (CEPHX_V2)");
    }
    this.#signer = new MessageSigner(sessionKey);
  }

  #finishHandshake(): void {
    this.#stage = "open";
    this.#authorizer = Buffer.alloc(0);
    this.becomeReady();
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
        this.#writer
          .reset()
          .u8(tag.keepalive2Ack)
          .raw(region.bytes.subarray(at + 1, at + 9));
        this.#sendWritten();
        return 9;
      case tag.keepalive2Ack:
        if (end - at < 9) return 0;
        this.lastKeepaliveAck = performance.now();
        return 9;
      case tag.close:
        throw this.error("SIPHON_RADOS_CONNECTION", "closed by the peer");
      default:
        throw bad(`tag ${kind}`);
    }
  }

  #receiveMessage(region: Region, at: number, end: number): number {
    const view = region.view;
    const header = at + 1;
    const front = header + headerBytes;
    if (end < front) return 0;
    if (region.crc32c(0, header, header + 49) !== view.getUint32(header + 49, true)) {
      throw bad("the checksum of a message's header is wrong");
    }
    const frontLength = view.getUint32(header + 22, true);
    const middleLength = view.getUint32(header + 26, true);
    const dataLength = view.getUint32(header + 30, true);
    if (frontLength > largestFront || middleLength > largestMiddle || dataLength > largestData) {
      throw bad(`a message of ${frontLength} + ${middleLength} + ${dataLength} bytes`);
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
      throw bad("the checksum of a message is wrong");
    }
    const seq = readU64(view, header);
    const signer = this.#signer;
    if (signer !== undefined) {
      signer.sign(view, header + 49, footer, frontLength, middleLength, dataLength, seq);
      if ((flags & footerSigned) === 0 || !signer.matches(view, footer + 12)) {
        throw this.error("SIPHON_RADOS_UNTRUSTED", "the signature of a message is wrong");
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

  #sendWritten(): void {
    const bytes = this.#writer.finish();
    const at = this.reserve(bytes.length);
    this.region.bytes.set(bytes, at);
  }
}

function bad(reason: string): RadosError {
  return new RadosError("SIPHON_RADOS_PROTOCOL", `received what is not Ceph's protocol v1: ${reason}`);
}
