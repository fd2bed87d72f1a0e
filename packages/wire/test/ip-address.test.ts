import assert from "node:assert/strict";
import { isIPv6 } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { formatIPv6, parseIPv4, parseIPv6 } from "../src/ip-address.ts";
import { WireError } from "../src/wire-error.ts";

test("every IPv6 address survives its text", () => {
  const group = fc.constantFrom(0, 0, 0, 1, 0xffff, 0xdb8);
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const bytes = Uint8Array.from(groups.flatMap((value) => [value >> 8, value & 0xff]));
      const text = formatIPv6(bytes);
      assert.ok(isIPv6(text), text);
      assert.deepEqual(parseIPv6(text), bytes);
    }),
  );
});

test("IPv6 text is canonical", () => {
  for (const [text, canonical] of [
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["fe80::1%eth0", "fe80::1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["::ffff:c000:201", "::ffff:192.0.2.1"],
  ] as const) {
    assert.equal(formatIPv6(parseIPv6(text)), canonical);
  }
});

test("what is no address is refused", () => {
  for (const text of ["", "1", "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "::g"]) {
    assert.throws(() => parseIPv6(text), WireError, text);
  }
  for (const text of ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "a.b.c.d"]) {
    assert.throws(() => parseIPv4(text), WireError, text);
  }
});
