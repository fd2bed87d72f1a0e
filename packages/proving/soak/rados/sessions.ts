import { Reader, Writer } from "@siphon/wire";
import { readAuthReply } from "../../../rados/src/messages/auth.ts";
import { readCommandReply } from "../../../rados/src/messages/command.ts";
import { readMonGetVersionReply } from "../../../rados/src/messages/mon-get-version.ts";
import { readPoolOpReply } from "../../../rados/src/messages/pool-op.ts";
import { createGcm } from "../../../rados/src/messenger/gcm.ts";
import { Region } from "../../../rados/src/messenger/region.ts";
import { CrcFramesRev1 } from "../../../rados/src/messenger/v2/crc-frames.ts";
import { type FrameCodec, frameTag } from "../../../rados/src/messenger/v2/frame.ts";
import { CrcFramesRev0, SecureFramesRev0 } from "../../../rados/src/messenger/v2/frames-rev0.ts";
import { SecureFramesRev1 } from "../../../rados/src/messenger/v2/secure-frames.ts";
import { framesOf, HostileSession, joinFrames } from "../../../rados/test/support/hostile-session.ts";
import { captures } from "../../../rados/test/vectors/captures.ts";
import type { HostileInput } from "./decoders.ts";

/** The messenger and the monitor client: frames, whole sessions of both protocols, and their contents. */
export function sessionInputs(): HostileInput[] {
  const { v1, v2 } = captures();
  const session = new HostileSession();
  const whole = (name: string, capture: typeof v1): HostileInput => ({
    name,
    seeds: [capture.bytes],
    read: (bytes) => refuse(session.play(capture, bytes)),
  });
  return [
    whole("v1 session", v1),
    whole("v2 session", v2),
    ...segmentInputs(session, v2),
    frameInput("msgr2.1 crc frame", () => new CrcFramesRev1()),
    frameInput("msgr2.0 crc frame", () => new CrcFramesRev0()),
    frameInput("msgr2.1 secure frame", () => secure(SecureFramesRev1)),
    frameInput("msgr2.0 secure frame", () => secure(SecureFramesRev0)),
    { name: "MAuthReply", seeds: [authReply()], read: (bytes) => readAuthReply(new Reader(bytes)) },
    { name: "command reply", seeds: [commandReply()], read: (bytes) => readCommandReply(new Reader(bytes)) },
    { name: "MPoolOpReply", seeds: [poolOpReply()], read: (bytes) => readPoolOpReply(new Reader(bytes)) },
    {
      name: "MMonGetVersionReply",
      seeds: [Buffer.alloc(24)],
      read: (bytes) => readMonGetVersionReply(new Reader(bytes)),
    },
  ];
}

/** Each segment of each frame of a session, damaged and put back with correct checksums, so that decoders see it. */
function segmentInputs(session: HostileSession, capture: ReturnType<typeof captures>["v2"]): HostileInput[] {
  const { banner, frames } = framesOf(capture);
  return frames.flatMap(({ tag, segments }, f) =>
    segments.map((seed, s) => ({
      name: `v2 session, frame ${f} (tag ${tag}), segment ${s}`,
      seeds: [seed],
      read: (bytes: Buffer) => {
        const changed = segments.map((segment, i) => (i === s ? bytes : segment));
        const last = changed.findLastIndex((segment) => segment.length > 0);
        const hostile = frames.with(f, { tag, segments: changed.slice(0, Math.max(1, last + 1)) });
        refuse(session.play(capture, joinFrames({ banner, frames: hostile })));
      },
    })),
  );
}

function refuse({ error }: { error: Error | undefined }): void {
  if (error !== undefined) throw error;
}

function frameInput(name: string, codec: () => FrameCodec): HostileInput {
  const sender = codec();
  const lengths = [41, 90, 0, 300] as const;
  const seed = Region.allocate(sender.plan(...lengths));
  sender.seal(seed, 0, frameTag.message);
  const length = sender.plan(...lengths);
  return {
    name,
    seeds: [seed.bytes.subarray(0, length)],
    read: (bytes) => {
      const region = Region.allocate(bytes.length);
      region.bytes.set(bytes);
      const receiver = codec();
      try {
        if (bytes.length < receiver.headBytes) return;
        receiver.readHead(region, 0);
        if (bytes.length >= receiver.frameBytes) receiver.readBody(region, 0);
      } finally {
        receiver.destroy();
      }
    },
  };
}

/** Both directions with one key and nonce: a new codec can open what another one sealed. */
function secure(Frames: typeof SecureFramesRev1 | typeof SecureFramesRev0): FrameCodec {
  const counter = Frames === SecureFramesRev1 ? "last64" : "first32";
  const stream = (direction: "open" | "seal") =>
    createGcm(direction, Buffer.alloc(16, 1), Buffer.alloc(12, 2), counter);
  return new Frames(stream("open"), stream("seal"));
}

function authReply(): Buffer {
  const w = new Writer().u32(2).i32(0).u64(4123n).blob(Buffer.alloc(60, 5)).string("");
  return w.finish();
}

function commandReply(): Buffer {
  return new Writer().i32(-2).string("no such thing").finish();
}

/** Paxos header (u64 version, i16 mon, u64 tid), fsid, u32 code, u32 epoch, u8 whether data follows, data. */
function poolOpReply(): Buffer {
  return new Writer().zeros(18).zeros(16).i32(-2).u32(7).u8(1).blob(Buffer.alloc(8, 3)).finish();
}
