import { createHmac, timingSafeEqual } from "node:crypto";
import { Reader, Writer } from "@siphon/wire";
import type { RadosError, RadosErrorCode } from "../../errors.ts";
import {
  authMethod,
  type ConnectionAuth,
  type ConnectionMode,
  connectionMode,
  type SessionSecrets,
} from "../auth.ts";
import { bannerMismatch } from "../banner.ts";
import { type ConnectionHost, sameInstance } from "../connection.ts";
import { requiredFeatures, supportedFeatures } from "../features.ts";
import { createGcm } from "../gcm.ts";
import { gcmKeyBytes, gcmNonceBytes } from "../gcm-stream.ts";
import { addrText, entityType, type Peer } from "../peer.ts";
import type { Region } from "../region.ts";
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
import { badFrame, type FrameCodec, frameTag } from "./frame.ts";
import { CrcFramesRev0, SecureFramesRev0 } from "./frames-rev0.ts";
import { SecureFramesRev1 } from "./secure-frames.ts";

/** The parts of a connection that the handshake uses. */
export interface HandshakeHost {
  readonly messenger: ConnectionHost;
  readonly peer: Peer;
  readonly auth: ConnectionAuth;
  /** Sends bytes as they are. */
  sendBytes(bytes: Uint8Array): void;
  /** Sends a control frame and returns its bytes on the wire. */
  sendControl(tag: number, payload: Uint8Array): Buffer;
  /** Sets the format of all further frames in both directions. */
  useCodec(codec: FrameCodec): void;
  /** Both sides are identified. */
  opened(peerFeatures: bigint): void;
  error(code: RadosErrorCode, reason: string): RadosError;
}

/** The next expected step of the peer. */
type Stage = "banner" | "hello" | "auth" | "signature" | "ident" | "done";

const bannerPrefix = Buffer.from("ceph v2\n");
const bannerPrefixBytes = bannerPrefix.length + 2;
const protocolV1 = {
  begins: "ceph v027",
  reason: "the peer speaks protocol v1 at this address; use v1: in mon_host",
};
const featureRevision1 = 1n;
const noSignature = Buffer.alloc(32);

/** The client's side of msgr2 from the banner until messages may flow. */
export class Handshake {
  readonly #host: HandshakeHost;
  readonly #writer = new Writer(256);
  #stage: Stage = "banner";
  #revision: 0 | 1 = 1;
  /** Every byte until both sides have authenticated, for the signatures. */
  #received: Buffer[] = [];
  #sent: Buffer[] = [];
  #expectedSignature: Buffer = noSignature;

  constructor(host: HandshakeHost) {
    this.#host = host;
  }

  get awaitsBanner(): boolean {
    return this.#stage === "banner";
  }

  get isDone(): boolean {
    return this.#stage === "done";
  }

  /** Banner: "ceph v2\n", u16 length, u64 msgr2 features supported, u64 required. */
  begin(): void {
    const offered = this.#host.messenger.revision === 1 ? featureRevision1 : 0n;
    const banner = new Writer(26).raw(bannerPrefix).u16(16).u64(offered).u64(0n).finish();
    this.#sent.push(banner);
    this.#host.sendBytes(banner);
  }

  /** Returns the length of the peer's banner, 0 if it is incomplete. */
  receiveBanner(region: Region, at: number, end: number): number {
    const bytes = region.bytes;
    const mismatch = bannerMismatch(bytes, at, end - at, bannerPrefix, protocolV1);
    if (mismatch !== undefined) throw badFrame(mismatch);
    if (end - at < bannerPrefixBytes) return 0;
    const length = bannerPrefixBytes + region.view.getUint16(at + bannerPrefix.length, true);
    if (end - at < length) return 0;
    const r = new Reader(bytes, "msgr2 banner", at + bannerPrefixBytes, at + length);
    const supported = r.u64();
    const required = r.u64();
    if ((required & ~featureRevision1) !== 0n) {
      throw badFrame(`the peer requires features of a newer msgr2 (0x${required.toString(16)})`);
    }
    this.#received.push(Buffer.from(bytes.subarray(at, at + length)));
    if (this.#host.messenger.revision === 0 || (supported & featureRevision1) === 0n) this.#revision = 0;
    this.#host.useCodec(this.#revision === 1 ? new CrcFramesRev1() : new CrcFramesRev0());
    this.#stage = "hello";
    writeHello(this.#writer.reset(), { entityType: entityType.client, seenAs: this.#host.peer.addr });
    this.#send(frameTag.hello);
    return length;
  }

  /**
   * Takes a control frame of the handshake; false for other frames.
   *
   * @param raw the whole frame as it was on the wire
   */
  handle(tag: number, payload: Buffer, raw: Buffer): boolean {
    const r = new Reader(payload, `msgr2 frame ${tag}`);
    if (this.#stage === "hello" || this.#stage === "auth") this.#received.push(raw);
    switch (tag) {
      case frameTag.hello:
        this.#expect("hello", tag);
        this.#handleHello(r);
        return true;
      case frameTag.authBadMethod:
        this.#expect("auth", tag);
        throw this.#refusal(r);
      case frameTag.authReplyMore:
        this.#expect("auth", tag);
        this.#writer.reset().blob(this.#host.auth.more(r.blob()));
        this.#send(frameTag.authRequestMore);
        return true;
      case frameTag.authDone:
        this.#expect("auth", tag);
        this.#handleAuthDone(r);
        return true;
      case frameTag.authSignature:
        this.#expect("signature", tag);
        this.#handleSignature(payload);
        return true;
      case frameTag.serverIdent:
        this.#expect("ident", tag);
        this.#handleServerIdent(r);
        return true;
      case frameTag.identMissingFeatures:
        this.#expect("ident", tag);
        throw this.#host.error(
          "SIPHON_RADOS_MODE",
          `the daemon needs features that this client lacks (0x${r.u64().toString(16)})`,
        );
      default:
        return false;
    }
  }

  #handleHello(r: Reader): void {
    const { messenger, peer, auth } = this.#host;
    const hello = readHello(r);
    if (hello.entityType !== entityType[peer.type]) {
      const reason = "another kind of daemon answers at this address";
      throw this.#host.error("SIPHON_RADOS_CONNECTION", reason);
    }
    messenger.learnAddr(hello.seenAs);
    this.#stage = "auth";
    const modes = this.#modes.map((mode) => connectionMode[mode]);
    writeAuthRequest(this.#writer.reset(), auth.method, modes, auth.request());
    this.#send(frameTag.authRequest);
  }

  #refusal(r: Reader): RadosError {
    const { method, result, allowedMethods, allowedModes } = readAuthBadMethod(r);
    const ours = this.#modes;
    if (
      allowedMethods.includes(method) &&
      !ours.some((mode) => allowedModes.includes(connectionMode[mode]))
    ) {
      return this.#host.error(
        "SIPHON_RADOS_MODE",
        `the daemon does not offer ${ours.join(" or ")} mode, which this client requires`,
      );
    }
    return this.#host.auth.refused(result, allowedMethods);
  }

  #handleAuthDone(r: Reader): void {
    const { globalId, mode, payload } = readAuthDone(r);
    const chosen = this.#modes.find((allowed) => connectionMode[allowed] === mode);
    if (chosen === undefined) {
      throw this.#host.error(
        "SIPHON_RADOS_MODE",
        `the daemon chose connection mode ${mode}; this client allows only ${this.#modes.join(" or ")}`,
      );
    }
    const secrets = this.#host.auth.done(globalId, payload);
    // AUTH_SIGNATURE: HMAC-SHA-256 of all that its sender received until AUTH_DONE; zeros without a key.
    const sessionKey = secrets.sessionKey?.reveal();
    const ours = signature(sessionKey, this.#received);
    this.#expectedSignature = signature(sessionKey, this.#sent);
    this.#received = [];
    this.#sent = [];
    if (chosen === "secure") this.#goSecure(secrets);
    this.#stage = "signature";
    this.#writer.reset().raw(ours);
    this.#send(frameTag.authSignature);
  }

  /** The connection secret: 16 bytes key, 12 bytes first nonce of the server, 12 bytes ours. */
  #goSecure({ connectionSecret: secret }: SessionSecrets): void {
    const { auth, messenger } = this.#host;
    if (secret === undefined || secret.length < gcmKeyBytes + 2 * gcmNonceBytes) {
      throw this.#host.error(
        "SIPHON_RADOS_MODE",
        auth.method === authMethod.none
          ? "secure mode needs cephx authentication, and this cluster has none"
          : "the daemon chose secure mode but sent no key for it",
      );
    }
    const key = secret.subarray(0, gcmKeyBytes);
    const theirs = secret.subarray(gcmKeyBytes, gcmKeyBytes + gcmNonceBytes);
    const own = secret.subarray(gcmKeyBytes + gcmNonceBytes, gcmKeyBytes + 2 * gcmNonceBytes);
    const counter = this.#revision === 1 ? "last64" : "first32";
    const opening = createGcm("open", key, theirs, counter, messenger.gcm);
    const sealing = createGcm("seal", key, own, counter, messenger.gcm);
    const Frames = this.#revision === 1 ? SecureFramesRev1 : SecureFramesRev0;
    this.#host.useCodec(new Frames(opening, sealing));
  }

  #handleSignature(received: Buffer): void {
    const expected = this.#expectedSignature;
    if (received.length !== expected.length || !timingSafeEqual(received, expected)) {
      throw this.#host.error(
        "SIPHON_RADOS_UNTRUSTED",
        "the handshake was altered in transit, or the daemon does not have the session's key",
      );
    }
    this.#stage = "ident";
    const { messenger, peer } = this.#host;
    writeClientIdent(this.#writer.reset(), {
      addrs: messenger.addrs,
      target: peer.addr,
      globalId: messenger.globalId,
      globalSeq: messenger.nextGlobalSeq(),
      supported: supportedFeatures,
      required: requiredFeatures,
      lossy: true,
      cookie: 0n,
    });
    this.#send(frameTag.clientIdent);
  }

  #handleServerIdent(r: Reader): void {
    const { peer } = this.#host;
    const ident = readServerIdent(r);
    if (!ident.addrs.some((addr) => sameInstance(addr, peer.addr))) {
      const there = ident.addrs.map(addrText).join(", ");
      const reason = `another daemon answers at this address (${there})`;
      throw this.#host.error("SIPHON_RADOS_CONNECTION", reason);
    }
    const missing = (requiredFeatures & ~ident.supported) | (ident.required & ~supportedFeatures);
    if (missing !== 0n) {
      throw this.#host.error(
        "SIPHON_RADOS_MODE",
        `daemon and client lack features of each other (0x${missing.toString(16)})`,
      );
    }
    this.#stage = "done";
    this.#host.opened(ident.supported);
  }

  get #modes(): readonly ConnectionMode[] {
    return this.#host.messenger.modes[this.#host.peer.type];
  }

  #expect(stage: Stage, tag: number): void {
    if (this.#stage !== stage) throw badFrame(`tag ${tag} while waiting for ${this.#stage}`);
  }

  /** Sends the writer's content as a control frame. */
  #send(tag: number): void {
    const raw = this.#host.sendControl(tag, this.#writer.finish());
    if (this.#stage === "hello" || this.#stage === "auth") this.#sent.push(raw);
  }
}

function signature(key: Uint8Array | undefined, transcript: readonly Buffer[]): Buffer {
  if (key === undefined) return noSignature;
  const hmac = createHmac("sha256", key);
  for (const part of transcript) hmac.update(part);
  return hmac.digest();
}
