import assert from "node:assert/strict";
import { test } from "node:test";
import {
  connectedDevice,
  connectRequest,
  disconnectRequest,
  familyOf,
  familyRequest,
  reconfigureRequest,
  statusOf,
  statusRequest,
} from "../../src/device/nbd-netlink.ts";

const malformed = { code: "SIPHON_ATTACH_PROTOCOL" };
const bytes = (hex: string) => Buffer.from(hex.replaceAll(/\s/g, ""), "hex");
const hex = (...parts: string[]) => parts.join("").replaceAll(/\s/g, "");

test("the netlink family is requested by name, and found in the answer", () => {
  assert.equal(familyRequest().toString("hex"), hex("03010000", "080002006e626400"));
  const reply = bytes("01020000 080002006e626400 060001001f000000 0800030001000000");
  assert.equal(familyOf(reply), 0x1f);
});

test("a device is connected with its size, its flags, its times, its cookie and a socket", () => {
  const request = connectRequest({
    ...{ size: 64 << 20, blockSize: 512, serverFlags: 0x6d, timeout: 5, deadConnectionTimeout: 30 },
    ...{ cookie: "abc", socket: 19 },
  });
  assert.equal(
    request.toString("hex"),
    hex(
      "01010000",
      "0c000200 0000000400000000",
      "0c000300 0002000000000000",
      "0c000400 0500000000000000",
      "0c000500 6d00000000000000",
      "0c000800 1e00000000000000",
      "08000a00 61626300",
      "10000780 0c000180 08000100 13000000",
    ),
  );
  assert.equal(connectedDevice(bytes("01000000 0800010003000000")), 3);
});

test("values that are not given are left out", () => {
  assert.equal(disconnectRequest(2).toString("hex"), hex("02010000", "0800010002000000"));
  assert.equal(statusRequest(2).toString("hex"), hex("05010000", "0800010002000000"));
  const resized = reconfigureRequest({ index: 2, cookie: undefined, size: 4096 });
  assert.equal(resized.toString("hex"), hex("03010000", "0800010002000000", "0c000200 0010000000000000"));
});

test("a status says of each device whether it is connected", () => {
  const device = (index: number, connected: number) =>
    `14000100 08000100 0${index}000000 05000200 0${connected}000000`;
  const reply = bytes(`05000000 2c000900 ${device(0, 0)} ${device(1, 1)}`);
  assert.equal(statusOf(reply, 0), false);
  assert.equal(statusOf(reply, 1), true);
  assert.equal(statusOf(reply, 2), undefined);
  assert.equal(statusOf(bytes("05000000 04000900"), 0), undefined, "no devices at all");
  assert.equal(statusOf(bytes("05000000"), 0), undefined);
});

test("replies that make no sense are refused", () => {
  assert.throws(() => familyOf(bytes("01020000")), malformed);
  assert.throws(() => familyOf(bytes("01020000 0500010001000000")), malformed, "a short number");
  assert.throws(() => connectedDevice(bytes("01000000 0600010003000000")), malformed);
  assert.throws(() => statusOf(bytes("05000000 0c000900 08000100 ffff0100"), 0), malformed);
  assert.throws(
    () => statusOf(bytes("05000000 08000900 04000100"), 0),
    malformed,
    "a device without a number",
  );
});
