import assert from "node:assert/strict";
import { test } from "node:test";
import type { EntityAddr } from "@siphon/wire";
import { parseMonHost, resolveMonHosts } from "../../src/config/mon-host.ts";

async function addresses(monHost: string): Promise<string[]> {
  return (await resolveMonHosts(parseMonHost(monHost))).map((addrs) => addrs.map(shown).join(" "));
}

function shown({ type, address, family, port }: EntityAddr): string {
  return `${type}:${family === 6 ? `[${address}]` : address}:${port}`;
}

test("an address alone means both protocols at their usual ports", async () => {
  assert.deepEqual(await addresses("192.0.2.1"), ["msgr2:192.0.2.1:3300 legacy:192.0.2.1:6789"]);
});

test("a usual port tells the protocol, another means both", async () => {
  assert.deepEqual(await addresses("192.0.2.1:6789,192.0.2.2:3300 192.0.2.3:7000"), [
    "legacy:192.0.2.1:6789",
    "msgr2:192.0.2.2:3300",
    "msgr2:192.0.2.3:7000 legacy:192.0.2.3:7000",
  ]);
});

test("a protocol has its usual port unless another is given", async () => {
  assert.deepEqual(await addresses("v1:192.0.2.1; v2:192.0.2.2, v2:192.0.2.3:6789/0 v1:192.0.2.4:3300"), [
    "legacy:192.0.2.1:6789",
    "msgr2:192.0.2.2:3300",
    "msgr2:192.0.2.3:6789",
    "legacy:192.0.2.4:3300",
  ]);
});

test("the addresses of one monitor stand in brackets", async () => {
  assert.deepEqual(await addresses("[v2:192.0.2.1:3300/0,v1:192.0.2.1:6789/0],[v2:192.0.2.2:3300/0]"), [
    "msgr2:192.0.2.1:3300 legacy:192.0.2.1:6789",
    "msgr2:192.0.2.2:3300",
  ]);
});

test("IPv6 addresses, in brackets where a port follows", async () => {
  assert.deepEqual(
    await addresses(
      "[2001:db8::1]:3300 2001:DB8::2 [2001:db8::3] [v2:[2001:db8::4]:3300/0,v1:[2001:db8::4]:6789]",
    ),
    [
      "msgr2:[2001:db8::1]:3300",
      "msgr2:[2001:db8::2]:3300 legacy:[2001:db8::2]:6789",
      "msgr2:[2001:db8::3]:3300 legacy:[2001:db8::3]:6789",
      "msgr2:[2001:db8::4]:3300 legacy:[2001:db8::4]:6789",
    ],
  );
});

test("names are looked up", async () => {
  const found = await addresses("localhost:3300");
  assert.ok(found.every((addr) => /^msgr2:(127\.0\.0\.1|\[::1\]):3300$/.test(addr)));
  assert.ok(found.length > 0);
});

test("unknown names are an error only if no monitor is left", async () => {
  assert.deepEqual(await addresses("192.0.2.1:3300 nobody.invalid"), ["msgr2:192.0.2.1:3300"]);
  await assert.rejects(
    addresses("nobody.invalid"),
    /cannot resolve the monitors' host names: nobody.invalid/,
  );
});

test("an invalid list of addresses is refused", () => {
  for (const text of [
    "192.0.2.1:99999",
    "[192.0.2.1",
    "[zz::1]:1",
    "v2:",
    "a/b",
    "v3:192.0.2.1",
    "[v2:1]x",
    "a b]",
  ]) {
    assert.throws(() => parseMonHost(text), /mon_host is not a list of addresses/, text);
  }
  assert.deepEqual(parseMonHost(" , ;"), []);
});
