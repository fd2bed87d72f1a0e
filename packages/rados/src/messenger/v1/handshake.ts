import { Reader, readEntityAddr, Writer, writeEntityAddr } from "@siphon/wire";
import type { RadosError, RadosErrorCode } from "../../errors.ts";
import { authMethod, type ConnectionAuth } from "../auth.ts";
import { bannerMismatch } from "../banner.ts";
import { type ConnectionHost, sameInstance } from "../connection.ts";
import { featureMask, requiredFeatures, supportedFeatures } from "../features.ts";
import { addrText, entityType, type Peer } from "../peer.ts";
import type { Region } from "../region.ts";
import { MessageSigner } from "./signature.ts";
import { notV1, tag } from "./tags.ts";

/** The parts of a connection that the handshake uses. */
export interface HandshakeHostV1 {
  readonly messenger: ConnectionHost;
  readonly peer: Peer;
  readonly auth: ConnectionAuth;
  send(bytes: Uint8Array): void;
  /** Messages may be sent, signed if there is a signer. */
  opened(peerFeatures: bigint, signer: MessageSigner | undefined): void;
  error(code: RadosErrorCode, reason: string): RadosError;
}

const banner = Buffer.from("ceph v027");
const protocolV2 = {
  begins: "ceph v2",
  reason: "the peer speaks protocol v2 at this address; use v2: in mon_host",
};
const legacyAddrBytes = 136;
const bannerBytes = banner.length + 2 * legacyAddrBytes;
const connectReplyBytes = 26;
const largestAuthorizer = 64 * 1024;
const seqBytes = 8;
const flagLossy = 1;
/** Protocol versions by kind of daemon (CEPH_MONC_PROTOCOL and so on). */
const protocolVersion = { mon: 15, osd: 24, mgr: 0 } as const;

/** The client's side of the first protocol from the banner until messages may flow. */
export class HandshakeV1 {
  readonly #host: HandshakeHostV1;
  readonly #writer = new Writer(512);
  #stage: "banner" | "connect" | "seq" | "done" = "banner";
  #signer: MessageSigner | undefined;
  #connectSeq = 0;
  #authorizer: Uint8Array = nothing;
  #challenged = false;
  #peerFeatures = 0n;

  constructor(host: HandshakeHostV1) {
    this.#host = host;
  }

  get isDone(): boolean {
    return this.#stage === "done";
  }

  /** The banner; the server's is followed by its address, and ours as it sees it. */
  begin(): void {
    this.#host.send(banner);
  }

  /** Takes the peer's next step; returns its length, 0 if it is incomplete. */
  receive(region: Region, at: number, end: number): number {
    if (this.#stage === "banner") return this.#receiveBanner(region, at, end);
    if (this.#stage === "connect") return this.#receiveConnectReply(region, at, end);
    // The last message of an earlier session that the server saw; there was none.
    if (end - at < seqBytes) return 0;
    this.#writer.reset().u64(0);
    this.#send();
    this.#finish();
    return seqBytes;
  }

  #receiveBanner(region: Region, at: number, end: number): number {
    const bytes = region.bytes;
    const mismatch = bannerMismatch(bytes, at, end - at, banner, protocolV2);
    if (mismatch !== undefined) throw notV1(mismatch);
    if (end - at < bannerBytes) return 0;
    const r = new Reader(Buffer.from(bytes.subarray(at, at + bannerBytes)), "banner", banner.length);
    const theirs = readEntityAddr(r);
    const ours = readEntityAddr(r);
    const target = this.#host.peer.addr;
    // A daemon without a configured address says 0.0.0.0; the nonce still identifies its run.
    const unspecified = theirs.address === "" || theirs.address === "0.0.0.0" || theirs.address === "::";
    if (unspecified ? theirs.nonce !== target.nonce : !sameInstance(theirs, target)) {
      throw this.#host.error(
        "SIPHON_RADOS_CONNECTION",
        `another daemon answers at this address (${addrText(theirs)})`,
      );
    }
    this.#host.messenger.learnAddr(ours);
    this.#stage = "connect";
    if (this.#authorizes) this.#authorizer = this.#host.auth.request();
    writeEntityAddr(this.#writer.reset(), this.#host.messenger.addr, 0n);
    this.#writeConnect();
    this.#send();
    return bannerBytes;
  }

  /** Monitors authenticate by messages after the connection is open, other daemons in the handshake. */
  get #authorizes(): boolean {
    return this.#host.peer.type !== "mon";
  }

  /**
   * ceph_msg_connect: u64 features, u32 host type, u32 global seq, u32 connect seq, u32 protocol version, u32
   * auth method, u32 authorizer length, u8 flags (1: lossy); authorizer.
   */
  #writeConnect(): void {
    const globalSeq = Number(this.#host.messenger.nextGlobalSeq() & 0xffffffffn);
    this.#writer
      .u64(supportedFeatures)
      .u32(entityType.client)
      .u32(globalSeq)
      .u32(this.#connectSeq)
      .u32(protocolVersion[this.#host.peer.type])
      .u32(this.#authorizes ? this.#host.auth.method : 0)
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
    if (authorizerLength > largestAuthorizer) throw notV1(`an authorizer reply of ${authorizerLength} bytes`);
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
        if (this.#challenged || !this.#authorizes) throw notV1("a second challenge");
        this.#challenged = true;
        this.#authorizer = this.#host.auth.more(authorizerReply);
        this.#connectAgain();
        return;
      case tag.ready:
      case tag.seq:
        this.#checkFeatures(features);
        this.#verify(authorizerReply);
        if (answer === tag.seq) this.#stage = "seq";
        else this.#finish();
        return;
      case tag.retryGlobal:
        this.#host.messenger.raiseGlobalSeq(BigInt(globalSeq));
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
        throw this.#host.auth.refused(-13, [this.#host.auth.method]);
      case tag.features:
        throw this.#host.error(
          "SIPHON_RADOS_MODE",
          `the daemon needs features that this client lacks (0x${(features & ~supportedFeatures).toString(16)})`,
        );
      case tag.badProtocol:
        throw this.#host.error("SIPHON_RADOS_MODE", `the daemon speaks version ${version} of the protocol`);
      case tag.wait:
        throw this.#host.error(
          "SIPHON_RADOS_CONNECTION",
          "the daemon still has another session with this client",
        );
      default:
        throw notV1(`answer ${answer} to connect`);
    }
  }

  /** The connection's time limit also limits retries; each waits for the daemon's answer. */
  #connectAgain(): void {
    this.#writer.reset();
    this.#writeConnect();
    this.#send();
  }

  #checkFeatures(features: bigint): void {
    const missing = requiredFeatures & ~features;
    if (missing !== 0n) {
      throw this.#host.error(
        "SIPHON_RADOS_MODE",
        `the daemon lacks features that this client needs (0x${missing.toString(16)})`,
      );
    }
    this.#peerFeatures = features;
  }

  #verify(authorizerReply: Buffer): void {
    if (!this.#authorizes) return;
    const { messenger, auth } = this.#host;
    const { sessionKey } = auth.done(messenger.globalId, authorizerReply);
    if (auth.method !== authMethod.cephx || !messenger.signMessages) return;
    if (sessionKey === undefined || (this.#peerFeatures & featureMask("CEPHX_V2")) === 0n) {
      throw this.#host.error(
        "SIPHON_RADOS_MODE",
        "the daemon cannot sign messages as this client does (CEPHX_V2)",
      );
    }
    this.#signer = new MessageSigner(sessionKey);
  }

  #finish(): void {
    this.#stage = "done";
    this.#authorizer = nothing;
    this.#host.opened(this.#peerFeatures, this.#signer);
  }

  #send(): void {
    this.#host.send(this.#writer.finish());
  }
}

const nothing = new Uint8Array(0);
