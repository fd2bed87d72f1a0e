import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32c } from "@siphon/wire";
import { HostileSession } from "../support/hostile-session.ts";
import { Random } from "../support/random.ts";
import { captures } from "../vectors/captures.ts";

const { v1, v2 } = captures();

for (const [name, capture] of Object.entries({ v1, v2 })) {
  test(`${name}: a session is understood, however its bytes are parted`, () => {
    using session = new HostileSession();
    const whole = session.play(capture, capture.bytes);
    assert.equal(whole.error, undefined);
    assert.ok(whole.monmapEpoch! > 0 && whole.osdmapEpoch! > 0);
    assert.equal(whole.mgr, "x");
    const random = new Random(1);
    for (let i = 0; i < 30; i++) {
      const portions = Array.from({ length: 400 }, () => random.between(1, i * 20 + 1));
      assert.deepEqual(session.play(capture, capture.bytes, portions), whole);
    }
  });
}

test("bytes that only announce a large frame take no memory for it", () => {
  using session = new HostileSession();
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 20; i++) {
    // A v1 message header that promises 64 MiB of front, after a complete handshake.
    const open = v1.bytes.subarray(0, handshakeBytes);
    const { error } = session.play(v1, Buffer.concat([open, announcement()]));
    assert.equal(error, undefined);
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 16 << 20);
});

/** Banner and addresses, the reply to connect, the sequence number that the server saw last. */
const handshakeBytes = 281 + 26 + 8;

function announcement(): Buffer {
  const header = Buffer.alloc(1 + 53);
  header[0] = 7;
  header.writeUInt32LE(1, 1);
  header.writeUInt32LE(64 << 20, 23);
  header.writeUInt32LE(crc32c(0, header, 1, 50), 50);
  return header;
}
