import { createHmac, timingSafeEqual } from "node:crypto";
import { Reader, Writer } from "@siphon/wire";
import { authMethod, connectionMode, type SessionSecrets } from "../auth.ts";
import { Connection, sameInstance } from "../connection.ts";
import { requiredFeatures, supportedFeatures } from "../features.ts";
import { createGcm, gcmKeyBytes, gcmNonceBytes } from "../gcm.ts";
import { carryBytes } from "../memory.ts";
import type { DataSink } from "../message.ts";
import { addrText, entityType } from "../peer.ts";
import { Region } from "../region.ts";
import { readU64, writeU64 } from "../u64.ts";
import {
  readAuthBadMethod,
  readAuthDone,
  readHello,
  readServerIdent,
  writeAuthRequest,
  writeClientIdent,
  writeHello,
} from "./control.ts";
import { CrcFramesRev1 } from "./crc-frames.ts";
import { badFrame, type FrameCodec, frameTag, preambleBytes } from "./frame.ts";
import { CrcFramesRev0, SecureFramesRev0 } from "./frames-rev0.ts";
import { SecureFramesRev1 } from "./secure-frames.ts";

/** The next thing the peer has to say. */
type Stage = "banner" | "hello" | "auth" | "signature" | "ident" | "open";

const bannerPrefix = Buffer.from("ceph v2\n");
const bannerPrefixBytes = bannerPrefix.length + 2;
const featureRevision1 = 1n;
const messageHeaderBytes = 41;
const noSignature = Buffer.alloc(32);

/**
 * A connection that speaks msgr2 (doc/dev/msgr2.rst), revision 1, or 0 with peers that know no better.
 * Compression is declined by not offering the feature.
 */
export class ConnectionV2 extends Connection {
  #stage: Stage = "banner";
  #codec: FrameCodec = new CrcFramesRev1();
  #revision: 0 | 1 = 1;
  #headRead = false;
  /** The frame whose head was read is a large message that somebody may want in portions. */
  #mayStream = false;
  /** Where the data of a large message goes while it comes. */
  #sink: DataSink | undefined;
  #streamedFront: Region | undefined;
  /** Of the message whose header was looked at last. */
  #headerSeq = 0;
  #frameAt = 0;
  /** Every byte of the handshake until both sides have authenticated, for the signatures. */
  #received: Buffer[] | undefined = [];
  #sent: Buffer[] | undefined = [];
  #expectedSignature: Buffer = noSignature;
  readonly #writer = new Writer(128);

  begin(frontLength: number, middleLength: number, dataLength: number): void {
    const codec = this.#codec;
    const at = this.reserve(codec.plan(messageHeaderBytes, frontLength, middleLength, dataLength));
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
    this.#codec.seal(this.region, this.#frameAt, frameTag.message);
  }

  /** KEEPALIVE2: u32 seconds, u32 nanoseconds of our clock. */
  keepalive(): void {
    if (!this.isReady) return;
    const now = Date.now();
    this.#writer
      .reset()
      .u32(Math.floor(now / 1000))
      .u32((now % 1000) * 1_000_000);
    this.#sendControl(frameTag.keepalive2);
  }

  /** Banner: "ceph v2\n", u16 length, u64 msgr2 features supported, u64 required. */
  protected opened(): void {
    const offered = this.messenger.revision === 1 ? featureRevision1 : 0n;
    const w = this.#writer.reset().raw(bannerPrefix).u16(16).u64(offered).u64(0n);
    const banner = Buffer.from(w.finish());
    const at = this.reserve(banner.length);
    this.region.bytes.set(banner, at);
    this.#sent!.push(banner);
  }

  protected get incompleteFrameBytes(): number {
    return this.#headRead && !this.#mayStream ? this.#codec.frameBytes : 0;
  }

  protected receive(region: Region, start: number, end: number): number {
    let at = start;
    if (this.#stage === "banner") {
      const length = this.#receiveBanner(region, at, end);
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
        } else {
          this.#received?.push(Buffer.from(region.bytes.subarray(at, at + length)));
          this.#handleControl(codec.tag, region);
        }
      }
      at += length;
    }
    this.messenger.noteFrames(frames);
    return this.isClosed ? end : at;
  }

  protected forget(): void {
    this.#codec.destroy();
    this.#sink = undefined;
    this.#received = undefined;
    this.#sent = undefined;
    this.#expectedSignature = noSignature;
  }

  /** Returns the length of the peer's banner, 0 if it is not all there. */
  #receiveBanner(region: Region, at: number, end: number): number {
    const bytes = region.bytes;
    const known = Math.min(end - at, bannerPrefix.length);
    if (bytes.compare(bannerPrefix, 0, known, at, at + known) !== 0) {
      if (bytes.toString("latin1", at, Math.min(end, at + 9)) === "ceph v027") {
        throw badFrame("the peer speaks protocol v1 at this address; use v1: in mon_host");
      }
      throw badFrame("the peer does not begin as a Ceph daemon does");
    }
    if (end - at < bannerPrefixBytes) return 0;
    const payload = region.view.getUint16(at + bannerPrefix.length, true);
    const length = bannerPrefixBytes + payload;
    if (end - at < length) return 0;
    const r = new Reader(bytes, "msgr2 banner", at + bannerPrefixBytes, at + length);
    const supported = r.u64();
    const required = r.u64();
    if ((required & ~featureRevision1) !== 0n) {
      throw badFrame(`the peer requires features of a newer msgr2 (0x${required.toString(16)})`);
    }
    this.#received!.push(Buffer.from(bytes.subarray(at, at + length)));
    if (this.messenger.revision === 0 || (supported & featureRevision1) === 0n) {
      this.#revision = 0;
      this.#codec = new CrcFramesRev0();
    }
    this.#stage = "hello";
    writeHello(this.#writer.reset(), { entityType: entityType.client, seenAs: this.peer.addr });
    this.#sendControl(frameTag.hello);
    return length;
  }

  #isLargeMessage({ tag, frameBytes, portionsAt }: FrameCodec): boolean {
    return tag === frameTag.message && frameBytes > carryBytes && portionsAt > 0 && portionsAt <= carryBytes;
  }

  /**
   * Begins to pass the data of a large message on as it comes; false if nobody wants it so. The header is looked at
   * before its checksum, but nothing is done by it except to ask for the sink.
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
    // The front is gone from the receive buffer when the data is complete.
    const { at1, at2, length1, length2 } = codec;
    const kept = Region.allocate(length1 + length2);
    region.bytes.copy(kept.bytes, 0, at1, at1 + length1);
    region.bytes.copy(kept.bytes, length1, at2, at2 + length2);
    this.#streamedFront = kept;
    return true;
  }

  /** Returns where it stopped; the stream has ended when there is no sink any more. */
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

  /** Sets `incoming` from the header; false for a message seen before, which is dropped. */
  #takeHeader(region: Region): boolean {
    if (this.#stage !== "open") throw badFrame("a message before the handshake is done");
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

  #handleControl(tag: number, region: Region): void {
    const { at0, length0 } = this.#codec;
    const payload = Buffer.from(region.bytes.subarray(at0, at0 + length0));
    const r = new Reader(payload, `msgr2 frame ${tag}`);
    switch (tag) {
      case frameTag.hello:
        this.#handleHello(r);
        return;
      case frameTag.authBadMethod:
        this.#handleBadMethod(r);
        return;
      case frameTag.authReplyMore: {
        this.#expect("auth", tag);
        const answer = this.auth.more(r.blob());
        this.#writer.reset().blob(answer);
        this.#sendControl(frameTag.authRequestMore);
        return;
      }
      case frameTag.authDone:
        this.#handleAuthDone(r);
        return;
      case frameTag.authSignature:
        this.#handleSignature(payload);
        return;
      case frameTag.serverIdent:
        this.#handleServerIdent(r);
        return;
      case frameTag.identMissingFeatures:
        this.#expect("ident", tag);
        throw this.error(
          "SIPHON_RADOS_MODE",
          `the daemon needs features that this client lacks (0x${r.u64().toString(16)})`,
        );
      case frameTag.keepalive2:
        this.#expect("open", tag);
        this.#writer.reset().raw(r.raw(8));
        this.#sendControl(frameTag.keepalive2Ack);
        return;
      case frameTag.keepalive2Ack:
        this.lastKeepaliveAck = performance.now();
        return;
      case frameTag.ack:
        // Acknowledgements serve sessions that outlive connections; those of clients do not.
        return;
      case frameTag.sessionReset:
      case frameTag.sessionRetry:
      case frameTag.sessionRetryGlobal:
      case frameTag.sessionReconnectOk:
      case frameTag.wait:
        // Answers to resuming a session, which this client never asks for: a new connection settles it.
        throw this.error("SIPHON_RADOS_CONNECTION", "the daemon is in the middle of another session with us");
      default:
        throw badFrame(`tag ${tag}`);
    }
  }

  #handleHello(r: Reader): void {
    this.#expect("hello", frameTag.hello);
    const hello = readHello(r);
    if (hello.entityType !== entityType[this.peer.type]) {
      throw this.error("SIPHON_RADOS_CONNECTION", "another kind of daemon answers at this address");
    }
    this.messenger.learnAddr(hello.seenAs);
    this.#stage = "auth";
    const modes = this.#modes.map((mode) => connectionMode[mode]);
    writeAuthRequest(this.#writer.reset(), this.auth.method, modes, this.auth.request());
    this.#sendControl(frameTag.authRequest);
  }

  #handleBadMethod(r: Reader): void {
    this.#expect("auth", frameTag.authBadMethod);
    const refusal = readAuthBadMethod(r);
    const ours = this.#modes;
    const methodAllowed = refusal.allowedMethods.includes(refusal.method);
    if (methodAllowed && !ours.some((mode) => refusal.allowedModes.includes(connectionMode[mode]))) {
      throw this.error(
        "SIPHON_RADOS_MODE",
        `the daemon does not offer ${ours.join(" or ")} mode, and nothing less is allowed here`,
      );
    }
    throw this.auth.refused(refusal.result, refusal.allowedMethods);
  }

  #handleAuthDone(r: Reader): void {
    this.#expect("auth", frameTag.authDone);
    const { globalId, mode, payload } = readAuthDone(r);
    const chosen = this.#modes.find((allowed) => connectionMode[allowed] === mode);
    if (chosen === undefined) {
      throw this.error(
        "SIPHON_RADOS_MODE",
        `the daemon chose connection mode ${mode}, and only ${this.#modes.join(" or ")} is allowed here`,
      );
    }
    const secrets = this.auth.done(globalId, payload);
    this.#prepareSignatures(secrets);
    const ours = this.#ownSignature(secrets);
    if (chosen === "secure") this.#goSecure(secrets);
    this.#stage = "signature";
    this.#received = undefined;
    this.#sent = undefined;
    this.#writer.reset().raw(ours);
    this.#sendControl(frameTag.authSignature);
  }

  /** AUTH_SIGNATURE: HMAC-SHA-256 of everything its sender received until AUTH_DONE; zeros without a key. */
  #ownSignature(secrets: SessionSecrets): Buffer {
    return signature(secrets.sessionKey, this.#received!);
  }

  #prepareSignatures(secrets: SessionSecrets): void {
    this.#expectedSignature = signature(secrets.sessionKey, this.#sent!);
  }

  /** The connection secret: 16 bytes key, 12 bytes first nonce of the server, 12 bytes ours. */
  #goSecure(secrets: SessionSecrets): void {
    const secret = secrets.connectionSecret;
    if (secret === undefined || secret.length < gcmKeyBytes + 2 * gcmNonceBytes) {
      throw this.error(
        "SIPHON_RADOS_MODE",
        this.auth.method === authMethod.none
          ? "secure mode needs cephx authentication, and this cluster has none"
          : "the daemon chose secure mode and gave no key for it",
      );
    }
    const key = secret.subarray(0, gcmKeyBytes);
    const theirs = secret.subarray(gcmKeyBytes, gcmKeyBytes + gcmNonceBytes);
    const own = secret.subarray(gcmKeyBytes + gcmNonceBytes, gcmKeyBytes + 2 * gcmNonceBytes);
    const counter = this.#revision === 1 ? "last64" : "first32";
    const opening = createGcm("open", key, theirs, counter, this.messenger.gcm);
    const sealing = createGcm("seal", key, own, counter, this.messenger.gcm);
    const Frames = this.#revision === 1 ? SecureFramesRev1 : SecureFramesRev0;
    this.#codec = new Frames(opening, sealing);
  }

  #handleSignature(received: Buffer): void {
    this.#expect("signature", frameTag.authSignature);
    const expected = this.#expectedSignature;
    if (received.length !== expected.length || !timingSafeEqual(received, expected)) {
      throw this.error(
        "SIPHON_RADOS_UNTRUSTED",
        "the handshake was changed on the way, or the daemon does not hold the session's key",
      );
    }
    this.#stage = "ident";
    const messenger = this.messenger;
    writeClientIdent(this.#writer.reset(), {
      addrs: [messenger.addr],
      target: this.peer.addr,
      globalId: messenger.globalId,
      globalSeq: messenger.nextGlobalSeq(),
      supported: supportedFeatures,
      required: requiredFeatures,
      lossy: true,
      cookie: 0n,
    });
    this.#sendControl(frameTag.clientIdent);
  }

  #handleServerIdent(r: Reader): void {
    this.#expect("ident", frameTag.serverIdent);
    const ident = readServerIdent(r);
    if (!ident.addrs.some((addr) => sameInstance(addr, this.peer.addr))) {
      const there = ident.addrs.map(addrText).join(", ");
      throw this.error("SIPHON_RADOS_CONNECTION", `another daemon answers at this address (${there})`);
    }
    const missing = (requiredFeatures & ~ident.supported) | (ident.required & ~supportedFeatures);
    if (missing !== 0n) {
      throw this.error(
        "SIPHON_RADOS_MODE",
        `daemon and client lack features of each other (0x${missing.toString(16)})`,
      );
    }
    this.peerFeatures = ident.supported;
    this.#stage = "open";
    this.becomeReady();
  }

  get #modes() {
    return this.messenger.modes[this.peer.type];
  }

  #expect(stage: Stage, tag: number): void {
    if (this.#stage !== stage) throw badFrame(`tag ${tag} while waiting for ${this.#stage}`);
  }

  /** Sends what the writer holds as segment 0 of a control frame. */
  #sendControl(tag: number): void {
    const payload = this.#writer.finish();
    const length = this.#codec.plan(payload.length, 0, 0, 0);
    const at = this.reserve(length);
    const bytes = this.region.bytes;
    bytes.set(payload, at + this.#codec.outAt0);
    this.#codec.seal(this.region, at, tag);
    this.#sent?.push(Buffer.from(bytes.subarray(at, at + length)));
  }
}

function signature(key: Uint8Array | undefined, transcript: readonly Buffer[]): Buffer {
  if (key === undefined) return noSignature;
  const hmac = createHmac("sha256", key);
  for (const part of transcript) hmac.update(part);
  return hmac.digest();
}
