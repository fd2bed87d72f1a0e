import assert from "node:assert/strict";
import { test } from "node:test";
import {
  attribute,
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  errnoOfAnswer,
  valueIn,
} from "../../src/device/netlink.ts";

const malformed = { code: "SIPHON_ATTACH_PROTOCOL" };
const bytes = (hex: string) => Buffer.from(hex.replaceAll(/\s/g, ""), "hex");

test("a message has its header, asks for an answer, and is read back", () => {
  const payload = bytes("03010000");
  const message = encodeMessage({ type: 0x10, sequence: 7, payload });
  assert.equal(message.toString("hex"), "1400000010000500070000000000000003010000");
  assert.deepEqual(decodeMessages(message), [{ type: 0x10, sequence: 7, payload }]);
});

test("attributes are filled up to four bytes, and nested ones are marked", () => {
  assert.equal(attribute.u32(1, 5).toString("hex"), "0800010005000000");
  assert.equal(attribute.u64(2, 2 ** 40).toString("hex"), "0c0002000000000000010000");
  assert.equal(attribute.text(2, "nbd").toString("hex"), "080002006e626400");
  assert.equal(attribute.text(2, "nbd0").toString("hex"), "090002006e62643000000000");
  assert.equal(attribute.nested(7, attribute.u32(1, 3)).toString("hex"), "0c0007800800010003000000");
});

test("attributes are read in their order, without the marks of their types", () => {
  const list = decodeAttributes(bytes("0c00078008000100 03000000 05000200ff000000 0500020001"));
  assert.deepEqual(
    list.map(({ type, value }) => [type, value.toString("hex")]),
    [
      [7, "0800010003000000"],
      [2, "ff"],
      [2, "01"],
    ],
  );
});

test("an answer carries an errno and the request's header", () => {
  const answer = bytes("24000000 0200 0000 07000000 00000000 f0ffffff 1400000021000500 0700000000000000");
  const [message] = decodeMessages(answer);
  assert.equal(errnoOfAnswer(message!), -16);
  assert.throws(() => errnoOfAnswer({ ...message!, payload: message!.payload.subarray(0, 19) }), malformed);
});

test("truncated messages and wrong lengths are refused", () => {
  const message = encodeMessage({ type: 0x10, sequence: 7, payload: attribute.u32(1, 5) });
  for (let length = 1; length < message.length; length++) {
    assert.throws(() => decodeMessages(message.subarray(0, length)), malformed, `${length} bytes`);
  }
  for (const length of [0, 15, 25, 0xffff_ffff]) {
    const lying = Buffer.from(message);
    lying.writeUInt32LE(length, 0);
    assert.throws(() => decodeMessages(lying), malformed, `length ${length}`);
  }
  const list = attribute.u32(1, 5);
  for (let length = 1; length < list.length; length++) {
    assert.throws(() => decodeAttributes(list.subarray(0, length)), malformed, `${length} bytes`);
  }
  for (const length of [0, 3, 9, 0xffff]) {
    const lying = Buffer.from(list);
    lying.writeUInt16LE(length, 0);
    assert.throws(() => decodeAttributes(lying), malformed, `length ${length}`);
  }
});

test("a value that is missing, or shorter than its kind, is refused", () => {
  const list = decodeAttributes(attribute.u32(1, 5));
  assert.equal(valueIn(list, 1, 4).readUInt32LE(), 5);
  assert.throws(() => valueIn(list, 1, 8), malformed);
  assert.throws(() => valueIn(list, 2, 1), malformed);
});
