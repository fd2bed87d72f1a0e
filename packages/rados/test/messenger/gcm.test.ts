import assert from "node:assert/strict";
import { createDecipheriv } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { RadosError } from "../../src/errors.ts";
import { openEvp } from "../../src/messenger/evp.ts";
import { createGcm, type GcmFill } from "../../src/messenger/gcm.ts";
import { Nonce } from "../../src/messenger/nonce.ts";
import { Region } from "../../src/messenger/region.ts";

const key = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");
const nonce = Buffer.from("101112130000000000000000", "hex");
const fills: GcmFill[] = openEvp() === undefined ? ["node"] : ["evp", "node"];

test("koffi loads here, so both implementations are tested", () => {
  assert.deepEqual(fills, ["evp", "node"]);
});

test("both implementations give the same bytes, and OpenSSL's command of old opens them", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 3000 }), fc.nat(40), (plain, at) => {
      const sealed = fills.map((fill) => {
        const region = filled(plain, at);
        createGcm("seal", key, nonce, "last64", fill).seal(region, at, plain.length);
        return region.bytes.subarray(at, at + plain.length + 16);
      });
      assert.deepEqual(sealed[0], sealed[1]);
      const decipher = createDecipheriv("aes-128-gcm", key, nonce);
      decipher.setAuthTag(sealed[0]!.subarray(plain.length));
      const opened = Buffer.concat([decipher.update(sealed[0]!.subarray(0, plain.length)), decipher.final()]);
      assert.deepEqual(opened, Buffer.from(plain));
    }),
    { numRuns: 50 },
  );
});

for (const fill of fills) {
  test(`${fill}: what was sealed opens, in one piece or in two, message after message`, () => {
    const sealing = createGcm("seal", key, nonce, "last64", fill);
    const opening = createGcm("open", key, nonce, "last64", fill);
    const plain = Buffer.from("0123456789abcdef".repeat(40));
    for (let i = 0; i < 5; i++) {
      const region = filled(plain, 7);
      sealing.seal(region, 7, plain.length);
      if (i % 2 === 0) assert.ok(opening.open(region, 7, plain.length));
      else {
        opening.openStart(region, 7, 32);
        assert.deepEqual(region.bytes.subarray(7, 39), plain.subarray(0, 32));
        assert.ok(opening.openRest(region, 39, plain.length - 32));
      }
      assert.deepEqual(region.bytes.subarray(7, 7 + plain.length), plain);
    }
  });

  test(`${fill}: a changed bit anywhere is noticed`, () => {
    const plain = Buffer.alloc(100, 9);
    for (let bit = 0; bit < (plain.length + 16) * 8; bit += 37) {
      const region = filled(plain, 0);
      createGcm("seal", key, nonce, "last64", fill).seal(region, 0, plain.length);
      region.bytes[bit >> 3]! ^= 1 << (bit & 7);
      assert.equal(createGcm("open", key, nonce, "last64", fill).open(region, 0, plain.length), false);
    }
  });

  test(`${fill}: a forgotten key cannot be used`, () => {
    const stream = createGcm("seal", key, nonce, "last64", fill);
    stream.destroy();
    stream.destroy();
    assert.throws(() => stream.seal(filled(Buffer.alloc(16), 0), 0, 16), /forgotten/);
  });
}

test("msgr2.1 counts the last eight bytes of the nonce, msgr2.0 the first four, both little-endian", () => {
  const late = new Nonce(Buffer.alloc(12), Buffer.from("aabbccddff00000000000000", "hex"), "last64");
  late.advance();
  assert.equal(late.bytes.toString("hex"), "aabbccddff00000000000000");
  late.advance();
  assert.equal(late.bytes.toString("hex"), "aabbccdd0001000000000000");
  const early = new Nonce(Buffer.alloc(12), Buffer.from("ffffffff0102030405060708", "hex"), "first32");
  early.advance();
  early.advance();
  assert.equal(early.bytes.toString("hex"), "000000000102030405060708");
});

for (const counter of ["first32", "last64"] as const) {
  test(`a nonce never comes twice: after the last one (${counter}) the stream ends`, () => {
    const first = Buffer.from("050000000500000000000000", "hex");
    const running = new Nonce(Buffer.alloc(12), first, counter);
    running.advance();
    running.bytes[counter === "first32" ? 0 : 4] = 4;
    const ended = (error: unknown) => error instanceof RadosError && error.retryable;
    assert.throws(() => running.advance(), ended);
    assert.throws(() => running.advance(), ended);
  });
}

function filled(plain: Uint8Array, at: number): Region {
  const region = Region.allocate(at + plain.length + 16);
  region.bytes.set(plain, at);
  return region;
}
