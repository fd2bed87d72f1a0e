import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  blankAddr,
  type EntityAddr,
  readEntityAddr,
  readEntityAddrVec,
  writeEntityAddr,
  writeEntityAddrVec,
} from "../src/entity-addr.ts";
import { formatIPv6 } from "../src/ip-address.ts";
import { Reader } from "../src/reader.ts";
import { WireError } from "../src/wire-error.ts";
import { Writer } from "../src/writer.ts";

const address = fc.oneof(
  fc.record({ family: fc.constant(4 as const), address: fc.ipV4() }),
  fc.record({
    family: fc.constant(6 as const),
    address: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(formatIPv6),
  }),
);

const entityAddr: fc.Arbitrary<EntityAddr> = fc
  .record({
    type: fc.constantFrom("legacy", "msgr2"),
    nonce: fc.nat(0xffffffff),
    port: fc.nat(65535),
    address,
  })
  .map(({ address, ...rest }) => ({ ...rest, ...address }));

test("an address is read as it was written", () => {
  fc.assert(
    fc.property(entityAddr, (addr) => {
      const w = new Writer();
      writeEntityAddr(w, addr);
      assert.deepEqual(readEntityAddr(new Reader(w.finish())), addr);
    }),
  );
});

test("a peer without ADDR2 gets the 136-byte form, which has no type", () => {
  fc.assert(
    fc.property(entityAddr, (addr) => {
      const w = new Writer();
      writeEntityAddr(w, addr, 0n);
      assert.equal(w.length, 136);
      assert.deepEqual(readEntityAddr(new Reader(w.finish())), { ...addr, type: "legacy" });
    }),
  );
});

test("an address list keeps its order; without ADDR2 only its legacy address remains", () => {
  const v2: EntityAddr = { type: "msgr2", nonce: 1, family: 4, address: "192.0.2.1", port: 3300 };
  const v1: EntityAddr = { ...v2, type: "legacy", port: 6789 };
  const w = new Writer();
  writeEntityAddrVec(w, [v2, v1]);
  writeEntityAddrVec(w, [v2, v1], 0n);
  writeEntityAddrVec(w, [v2], 0n);
  const r = new Reader(w.finish());
  assert.deepEqual(readEntityAddrVec(r), [v2, v1]);
  assert.deepEqual(readEntityAddrVec(r), [v1]);
  assert.deepEqual(readEntityAddrVec(r), [blankAddr]);
});

test("the bytes are those of Ceph: v2:192.0.2.1:3300/7", () => {
  const w = new Writer();
  writeEntityAddr(w, { type: "msgr2", nonce: 7, family: 4, address: "192.0.2.1", port: 3300 });
  assert.equal(
    w.finish().toString("hex"),
    "01" + "01011c000000" + "02000000" + "07000000" + "10000000" + "02000ce4c0000201" + "0000000000000000",
  );
});

test("a socket address cut short, of unknown family or unknown type is refused", () => {
  const withSockaddr = (type: number, sockaddr: string): Buffer =>
    new Writer()
      .u8(1)
      .versioned(1, 1, (w) => w.u32(type).u32(0).blob(Buffer.from(sockaddr, "hex")))
      .finish();
  for (const bytes of [
    withSockaddr(2, "02"),
    withSockaddr(2, "02000ce4c000"),
    withSockaddr(2, "0a000ce400000000c0000201"),
    withSockaddr(2, "0100000000000000"),
    withSockaddr(99, "02000ce4c0000201"),
    Buffer.from([3]),
  ]) {
    assert.throws(() => readEntityAddr(new Reader(bytes)), WireError);
  }
});
