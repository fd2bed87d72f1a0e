import assert from "node:assert/strict";
import { test } from "node:test";
import type { EntityAddr } from "@siphon/wire";
import { Blocklist } from "../../src/osdmap/blocklist.ts";

const until = { seconds: 2_000_000_000, nanoseconds: 0 };
const client = (address: string, port: number, nonce: number): EntityAddr => ({
  ...{ type: "any", family: address.includes(":") ? 6 : 4, address, port, nonce },
});
const listed = (...addrs: EntityAddr[]) => new Blocklist(addrs.map((addr) => ({ addr, until })));

test("an instance is listed whatever it speaks, another of the same host is not", () => {
  const list = listed(client("192.0.2.1", 0, 77));
  assert.equal(list.has([{ ...client("192.0.2.1", 0, 77), type: "msgr2" }]), true);
  assert.equal(list.has([client("192.0.2.1", 0, 78)]), false);
  assert.equal(list.has([]), false);
});

test("an entry without port and nonce is for the whole host", () => {
  assert.equal(listed(client("2001:db8::1", 0, 0)).has([client("2001:db8::1", 0, 5)]), true);
  assert.equal(listed(client("2001:db8::1", 0, 0)).has([client("2001:db8::2", 0, 5)]), false);
});

test("one listed address of several is enough", () => {
  const list = listed(client("192.0.2.1", 0, 77));
  assert.equal(list.has([client("198.51.100.1", 0, 77), client("192.0.2.1", 0, 77)]), true);
});

test("a range is a network, its length in the place of the nonce", () => {
  const ranges = [client("192.0.2.128", 0, 25), client("2001:db8:1::", 0, 48)];
  const list = new Blocklist(
    [],
    ranges.map((addr) => ({ addr, until })),
  );
  assert.equal(list.has([client("192.0.2.200", 0, 5)]), true);
  assert.equal(list.has([client("192.0.2.100", 0, 5)]), false);
  assert.equal(list.has([client("2001:db8:1:ffff::1", 0, 5)]), true);
  assert.equal(list.has([client("2001:db8:2::1", 0, 5)]), false);
});

test("entries come and go with new lists, the old list stays", () => {
  const before = listed(client("192.0.2.1", 0, 1));
  const after = before.with(
    [{ addr: client("192.0.2.2", 0, 2), until }],
    [client("192.0.2.1", 0, 1)],
    [],
    [],
  );
  assert.equal(before.has([client("192.0.2.1", 0, 1)]), true);
  assert.equal(after.has([client("192.0.2.1", 0, 1)]), false);
  assert.equal(after.has([client("192.0.2.2", 0, 2)]), true);
  assert.equal(before.with([], [], [], []), before);
});
