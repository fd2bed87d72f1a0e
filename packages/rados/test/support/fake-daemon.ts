import { createHmac } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import {
  type EntityAddr,
  Reader,
  readEntityAddrVec,
  Writer,
  writeEntityAddr,
  writeEntityAddrVec,
} from "@siphon/wire";
import { RadosError } from "../../src/errors.ts";
import type { ConnectionAuth, ConnectionMode, SessionSecrets } from "../../src/messenger/auth.ts";
import { supportedFeatures } from "../../src/messenger/features.ts";
import { createGcm } from "../../src/messenger/gcm.ts";
import { entityType, type PeerType } from "../../src/messenger/peer.ts";
import { Region } from "../../src/messenger/region.ts";
import { CrcFramesRev1 } from "../../src/messenger/v2/crc-frames.ts";
import { type FrameCodec, frameTag } from "../../src/messenger/v2/frame.ts";
import { CrcFramesRev0, SecureFramesRev0 } from "../../src/messenger/v2/frames-rev0.ts";
import { SecureFramesRev1 } from "../../src/messenger/v2/secure-frames.ts";

/** A server of msgr2 that does as it is told, also what no real daemon does. It authenticates nobody. */
export interface FakeDaemonOptions {
  type?: PeerType;
  revision?: 0 | 1;
  /** Further bits of msgr2 that its banner offers, or demands: 2 is compression. */
  offers?: bigint;
  demands?: bigint;
  mode?: ConnectionMode;
  secrets?: SessionSecrets;
  /** Sent instead of the answer to an authentication. */
  refusal?: { result: number; methods: number[]; modes: number[] };
  /** A challenge it sends before it is content. */
  challenge?: Buffer;
  /** Sent as the daemon's proof. */
  proof?: Buffer;
  /** Changes the signature it sends. */
  forge?: boolean;
  /** The number that it gives a client. */
  globalId?(): bigint;
  /** The nonce it says it has. */
  nonce?: number;
  opened?(peer: FakePeer): void;
  message?(peer: FakePeer, message: FakeMessage): void;
  /** Frames that are no messages, once the connection is open. */
  control?(peer: FakePeer, tag: number, payload: Buffer): void;
}

export interface FakeMessage {
  type: number;
  tid: number;
  front: Buffer;
  data: Buffer;
}

export class FakeDaemon implements AsyncDisposable {
  readonly options: FakeDaemonOptions;
  readonly peers = new Set<FakePeer>();
  readonly #server: Server;

  private constructor(options: FakeDaemonOptions) {
    this.options = options;
    this.#server = createServer((socket) => {
      const peer = new FakePeer(this, socket);
      this.peers.add(peer);
      socket.on("close", () => this.peers.delete(peer));
      socket.on("error", () => socket.destroy());
    });
  }

  static async listen(options: FakeDaemonOptions = {}): Promise<FakeDaemon> {
    const daemon = new FakeDaemon(options);
    const { promise, resolve } = Promise.withResolvers<void>();
    daemon.#server.listen(0, "127.0.0.1", resolve);
    await promise;
    return daemon;
  }

  get addr(): EntityAddr {
    const address = this.#server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    return { type: "msgr2", nonce: 0, family: 4, address: "127.0.0.1", port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.peers) peer.socket.destroy();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    await promise;
  }
}

export class FakePeer {
  readonly socket: Socket;
  /** The addresses that the client announces. */
  addrs: readonly EntityAddr[] = [];
  readonly #daemon: FakeDaemon;
  #received: Buffer[] = [];
  #sent: Buffer[] = [];
  #pending = Buffer.alloc(0);
  #stage: "banner" | "frames" = "banner";
  #headRead = false;
  #codec: FrameCodec;
  #seq = 0;
  #expected: Buffer | undefined;

  constructor(daemon: FakeDaemon, socket: Socket) {
    this.#daemon = daemon;
    this.socket = socket;
    this.#codec = daemon.options.revision === 0 ? new CrcFramesRev0() : new CrcFramesRev1();
    socket.on("data", (bytes) => this.#receive(bytes));
    const { revision = 1, offers = 0n, demands = 0n } = daemon.options;
    const supported = BigInt(revision) | offers;
    const banner = new Writer().raw(Buffer.from("ceph v2\n")).u16(16).u64(supported).u64(demands).finish();
    this.#sent.push(Buffer.from(banner));
    socket.write(banner);
  }

  /** A message as one frame, ready to be written. */
  encode(type: number, tid: number, front: Uint8Array, data: Uint8Array, version = 1): Buffer {
    const codec = this.#codec;
    const length = codec.plan(41, front.length, 0, data.length);
    const region = Region.allocate(length);
    region.bytes.fill(0);
    const header = new Writer(64)
      .u64(++this.#seq)
      .u64(tid)
      .u16(type)
      .u16(127)
      .u16(version)
      .u32(0)
      .u16(0)
      .u64(0);
    region.bytes.set(header.u8(0).u16(1).u16(0).finish(), codec.outAt0);
    region.bytes.set(front, codec.outAt1);
    region.bytes.set(data, codec.outAt3);
    codec.seal(region, 0, frameTag.message);
    return region.bytes.subarray(0, length);
  }

  send(type: number, tid: number, front: Uint8Array, data: Uint8Array = Buffer.alloc(0), version = 1): void {
    this.socket.write(this.encode(type, tid, front, data, version));
  }

  sendControl(tag: number, payload: Uint8Array): void {
    const codec = this.#codec;
    const length = codec.plan(payload.length, 0, 0, 0);
    const region = Region.allocate(length);
    region.bytes.set(payload, codec.outAt0);
    codec.seal(region, 0, tag);
    this.#sent.push(Buffer.from(region.bytes.subarray(0, length)));
    this.socket.write(region.bytes.subarray(0, length));
  }

  #receive(bytes: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    if (this.#stage === "banner") {
      if (this.#pending.length < 26) return;
      this.#received.push(this.#pending.subarray(0, 26));
      this.#pending = this.#pending.subarray(26);
      this.#stage = "frames";
      const w = new Writer().u8(entityType[this.#daemon.options.type ?? "mon"]);
      const { remoteAddress, remotePort } = this.socket;
      const seen = { type: "any", nonce: 0, family: 4, address: remoteAddress!, port: remotePort! } as const;
      writeEntityAddr(w, seen);
      this.sendControl(frameTag.hello, w.finish());
    }
    const region = Region.allocate(this.#pending.length);
    region.bytes.set(this.#pending);
    let at = 0;
    for (;;) {
      const codec = this.#codec;
      if (!this.#headRead) {
        if (this.#pending.length - at < codec.headBytes) break;
        codec.readHead(region, at);
        this.#headRead = true;
      }
      const length = codec.frameBytes;
      if (this.#pending.length - at < length) break;
      this.#headRead = false;
      const raw = Buffer.from(region.bytes.subarray(at, at + length));
      codec.readBody(region, at);
      at += length;
      this.#handle(codec, region, raw);
    }
    // Heads are decrypted in place: what was looked at stays as it is now.
    this.#pending = Buffer.from(region.bytes.subarray(at, this.#pending.length));
  }

  #handle(codec: FrameCodec, region: Region, raw: Buffer): void {
    const options = this.#daemon.options;
    const segment = (start: number, length: number) =>
      Buffer.from(region.bytes.subarray(start, start + length));
    const payload = segment(codec.at0, codec.length0);
    if (codec.tag === frameTag.message) {
      options.message?.(this, {
        tid: Number(payload.readBigUInt64LE(8)),
        type: payload.readUInt16LE(16),
        front: segment(codec.at1, codec.length1),
        data: segment(codec.at3, codec.length3),
      });
      return;
    }
    this.#received.push(raw);
    if (codec.tag === frameTag.authRequest) this.#answerRequest();
    else if (codec.tag === frameTag.authRequestMore) this.#answerAuth();
    else if (codec.tag === frameTag.authSignature) this.#checkSignature(payload);
    else if (codec.tag === frameTag.clientIdent) this.#identify(payload);
    else options.control?.(this, codec.tag, payload);
  }

  #answerRequest(): void {
    const { challenge } = this.#daemon.options;
    if (challenge === undefined) this.#answerAuth();
    else this.sendControl(frameTag.authReplyMore, new Writer().blob(challenge).finish());
  }

  #answerAuth(): void {
    const {
      refusal,
      secrets,
      proof = Buffer.alloc(0),
      mode = "crc",
      revision = 1,
      forge,
    } = this.#daemon.options;
    if (refusal !== undefined) {
      const w = new Writer().u32(2).i32(refusal.result);
      w.list(refusal.methods, (_, m) => w.u32(m)).list(refusal.modes, (_, m) => w.u32(m));
      this.sendControl(frameTag.authBadMethod, w.finish());
      return;
    }
    const done = new Writer()
      .u64(this.#daemon.options.globalId?.() ?? 4242n)
      .u32(mode === "secure" ? 2 : 1)
      .blob(proof);
    this.sendControl(frameTag.authDone, done.finish());
    this.#expected = sign(secrets?.sessionKey?.reveal(), this.#sent);
    const signature = sign(secrets?.sessionKey?.reveal(), this.#received);
    if (forge) signature[0]! ^= 1;
    const secret = secrets?.connectionSecret;
    if (mode === "secure" && secret !== undefined) {
      const [key, own, theirs] = [secret.subarray(0, 16), secret.subarray(16, 28), secret.subarray(28, 40)];
      const counter = revision === 1 ? "last64" : "first32";
      const Frames = revision === 1 ? SecureFramesRev1 : SecureFramesRev0;
      this.#codec = new Frames(createGcm("open", key, theirs, counter), createGcm("seal", key, own, counter));
    }
    this.sendControl(frameTag.authSignature, signature);
  }

  #checkSignature(signature: Buffer): void {
    if (!this.#expected!.equals(signature)) this.socket.destroy();
  }

  #identify(payload: Buffer): void {
    this.addrs = readEntityAddrVec(new Reader(payload));
    const w = new Writer();
    writeEntityAddrVec(w, [{ ...this.#daemon.addr, nonce: this.#daemon.options.nonce ?? 0 }]);
    w.u64(0n).u64(1n).u64(supportedFeatures).u64(0n).u64(1n).u64(0n);
    this.sendControl(frameTag.serverIdent, w.finish());
    this.#daemon.options.opened?.(this);
  }
}

/** An authentication that believes everybody and brings its secrets along. */
export class OpenAuth implements ConnectionAuth {
  readonly method = 2;
  readonly #secrets: SessionSecrets;

  constructor(secrets: SessionSecrets = { sessionKey: undefined, connectionSecret: undefined }) {
    this.#secrets = secrets;
  }

  request(): Buffer {
    return Buffer.alloc(0);
  }

  more(): Buffer {
    return Buffer.alloc(0);
  }

  done(): SessionSecrets {
    return this.#secrets;
  }

  refused(result: number): RadosError {
    return new RadosError("SIPHON_RADOS_AUTH", `refused (${result})`);
  }
}

function sign(key: Uint8Array | undefined, transcript: readonly Buffer[]): Buffer {
  if (key === undefined) return Buffer.alloc(32);
  const hmac = createHmac("sha256", key);
  for (const part of transcript) hmac.update(part);
  return hmac.digest();
}
