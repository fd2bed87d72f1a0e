import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RadosError } from "../../src/errors.ts";
import { createGcm } from "../../src/messenger/gcm.ts";
import { Region } from "../../src/messenger/region.ts";
import { CrcFramesRev1 } from "../../src/messenger/v2/crc-frames.ts";
import { type FrameCodec, frameTag } from "../../src/messenger/v2/frame.ts";
import { CrcFramesRev0, SecureFramesRev0 } from "../../src/messenger/v2/frames-rev0.ts";
import { SecureFramesRev1 } from "../../src/messenger/v2/secure-frames.ts";

const key = Buffer.alloc(16, 1);
const [one, two] = [Buffer.alloc(12, 2), Buffer.alloc(12, 3)];

/** Sender and receiver of each wire format. */
const formats: Record<string, () => [FrameCodec, FrameCodec]> = {
  "msgr2.1 crc": () => [new CrcFramesRev1(), new CrcFramesRev1()],
  "msgr2.0 crc": () => [new CrcFramesRev0(), new CrcFramesRev0()],
  "msgr2.1 secure": () => [secure(SecureFramesRev1, one, two), secure(SecureFramesRev1, two, one)],
  "msgr2.0 secure": () => [secure(SecureFramesRev0, one, two), secure(SecureFramesRev0, two, one)],
};
const segment = fc.oneof(fc.constant(new Uint8Array(0)), fc.uint8Array({ minLength: 1, maxLength: 400 }));
const control = fc.uint8Array({ minLength: 1, maxLength: 200 });

for (const [name, codecs] of Object.entries(formats)) {
  test(`${name}: frames of any segments come out as they went in, one after the other`, () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(control, segment, segment, segment), { minLength: 1, maxLength: 5 }),
        fc.nat(50),
        (frames, at) => {
          const [sender, receiver] = codecs();
          for (const segments of frames) {
            const { region, length } = seal(sender, segments, at);
            receiver.readHead(region, at);
            assert.equal(receiver.frameBytes, length);
            assert.ok(receiver.readBody(region, at));
            assert.equal(receiver.tag, frameTag.message);
            assert.deepEqual(
              segmentsOf(receiver, region),
              segments.map((bytes) => Buffer.from(bytes)),
            );
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test(`${name}: a changed byte is noticed, wherever it is`, () => {
    fc.assert(
      fc.property(
        control,
        segment,
        segment,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (a, b, d, at, flip) => {
          const [sender, receiver] = codecs();
          const { region, length } = seal(sender, [a, b, new Uint8Array(0), d], 0);
          const changed = at % length;
          region.bytes[changed]! ^= flip;
          let noticed = false;
          try {
            receiver.readHead(region, 0);
            noticed = receiver.frameBytes !== length || !receiver.readBody(region, 0);
          } catch (error) {
            assert.ok(error instanceof RadosError && error.code === "SIPHON_RADOS_PROTOCOL");
            noticed = true;
          }
          // Of the epilogue of crc frames only the low bits of the status and the counted checksums mean something.
          if (!noticed) assert.ok(name.endsWith("crc") && changed >= length - 17);
        },
      ),
      { numRuns: 200 },
    );
  });
}

test("a frame that its sender gave up is dropped, not an error", () => {
  const [sender, receiver] = formats["msgr2.1 crc"]!();
  const { region, length } = seal(sender, [Buffer.from("head"), Buffer.from("front")], 0);
  region.bytes[length - 13] = 0x1;
  receiver.readHead(region, 0);
  assert.equal(receiver.readBody(region, 0), false);
});

test("a preamble that announces more than Ceph ever sends is refused before anything is made of it", () => {
  for (const [at, value] of [
    [1, 0],
    [1, 5],
    [2, 0xffffffff],
    [26, 1],
  ] as const) {
    const [sender, receiver] = formats["msgr2.1 crc"]!();
    const { region } = seal(sender, [Buffer.from("head"), Buffer.from("front")], 0);
    if (at === 2) region.view.setUint32(at, value, true);
    else region.view.setUint8(at, value);
    region.view.setUint32(28, region.crc32c(0, 0, 28), true);
    assert.throws(() => receiver.readHead(region, 0), { code: "SIPHON_RADOS_PROTOCOL" });
  }
});

function secure(
  Frames: new (...args: ConstructorParameters<typeof SecureFramesRev1>) => FrameCodec,
  own: Buffer,
  theirs: Buffer,
): FrameCodec {
  const counter = Frames === SecureFramesRev1 ? "last64" : "first32";
  return new Frames(createGcm("open", key, theirs, counter), createGcm("seal", key, own, counter));
}

function seal(
  codec: FrameCodec,
  segments: readonly Uint8Array[],
  at: number,
): { region: Region; length: number } {
  const [a, b, c, d] = [0, 1, 2, 3].map((i) => segments[i]?.length ?? 0) as [number, number, number, number];
  const length = codec.plan(a, b, c, d);
  const region = Region.allocate(at + length);
  const places = [codec.outAt0, codec.outAt1, codec.outAt2, codec.outAt3];
  for (const [i, bytes] of segments.entries()) region.bytes.set(bytes, at + places[i]!);
  codec.seal(region, at, frameTag.message);
  return { region, length };
}

function segmentsOf(codec: FrameCodec, region: Region): Buffer[] {
  const parts: [number, number][] = [
    [codec.at0, codec.length0],
    [codec.at1, codec.length1],
    [codec.at2, codec.length2],
    [codec.at3, codec.length3],
  ];
  return parts.map(([at, length]) => Buffer.from(length === 0 ? [] : region.bytes.subarray(at, at + length)));
}
