import assert from "node:assert/strict";
import { test } from "node:test";
import { Writer, writeEntityAddr } from "@siphon/wire";
import { getLockInfo, listLocks, lock, setCookie } from "../../src/cls/lock.ts";
import { managedLock } from "../../src/lock/locker.ts";

const text = (value: string) =>
  `${Buffer.from([value.length, 0, 0, 0]).toString("hex")}${Buffer.from(value).toString("hex")}`;

test("a lock is asked for as the kernel does it", () => {
  const { input, className, method } = lock(managedLock(18n));
  assert.deepEqual([className, method], ["lock", "lock"]);
  const fields = [
    text("rbd_lock"),
    "01",
    text("auto 18"),
    text("internal"),
    text(""),
    "0000000000000000",
    "00",
  ].join("");
  assert.equal(input.toString("hex"), `0101${lengthOf(fields)}${fields}`);
});

test("a lock may have a description, and expire", () => {
  const spec = { name: "l", type: "shared", cookie: "c", tag: "t" } as const;
  const { input } = lock(spec, { description: "by me", seconds: 9 });
  const fields = [text("l"), "02", text("c"), text("t"), text("by me"), "0900000000000000", "00"].join("");
  assert.equal(input.toString("hex"), `0101${lengthOf(fields)}${fields}`);
});

test("the cookie changes from one watch to the next", () => {
  const { input } = setCookie(managedLock(18n), managedLock(19n).cookie);
  const fields = [text("rbd_lock"), "01", text("auto 18"), text("internal"), text("auto 19")].join("");
  assert.equal(input.toString("hex"), `0101${lengthOf(fields)}${fields}`);
});

test("who has a lock is read from what the OSD answers", () => {
  const addr = { type: "any", nonce: 77, family: 4, address: "192.0.2.1", port: 0 } as const;
  const output = new Writer()
    .versioned(1, 1, (w) => {
      w.u32(1);
      w.versioned(1, 1, () => w.u8(8).u64(4123n).string("auto 18"));
      w.versioned(1, 1, () => {
        w.u32(1_700_000_000).u32(5_000_999);
        writeEntityAddr(w, addr);
        w.string("by me");
      });
      w.u8(1).string("internal");
    })
    .finish();
  assert.deepEqual(getLockInfo("rbd_lock").decode(output), {
    ...{ type: "exclusive", tag: "internal" },
    lockers: [
      { client: 4123n, cookie: "auto 18", addr, description: "by me", expires: 1_700_000_000_005_000 },
    ],
  });
});

test("the locks of an object are listed by name", () => {
  const output = new Writer().versioned(1, 1, (w) => w.u32(2).string("one").string("two")).finish();
  assert.deepEqual(listLocks().decode(output), ["one", "two"]);
});

function lengthOf(hex: string): string {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(hex.length / 2);
  return length.toString("hex");
}
