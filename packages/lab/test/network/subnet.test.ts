import assert from "node:assert/strict";
import { test } from "node:test";
import { addressIn, hostsIn, overlap, parseSubnet, subnets, subnetText } from "../../src/network/subnet.ts";

test("networks take subnets of the documentation ranges, none of which overlap", () => {
  const texts = subnets.map(subnetText);
  assert.equal(texts[0], "192.0.2.0/26");
  assert.equal(texts.at(-1), "203.0.113.192/26");
  for (const [n, one] of subnets.entries()) {
    assert.ok(
      subnets.slice(n + 1).every((other) => !overlap(one, other)),
      texts[n],
    );
  }
});

test("a subnet has 62 addresses for hosts and begins with its own name", () => {
  const subnet = parseSubnet("198.51.100.64/26");
  assert.equal(hostsIn(subnet), 62);
  assert.equal(addressIn(subnet, 1), "198.51.100.65");
  assert.equal(addressIn(subnet, hostsIn(subnet)), "198.51.100.126");
});

test("an address inside a subnet means its subnet, and a bare address itself", () => {
  assert.equal(subnetText(parseSubnet("192.0.2.77/26")), "192.0.2.64/26");
  assert.equal(subnetText(parseSubnet("255.255.255.255")), "255.255.255.255/32");
});

test("subnets overlap when one holds the other, whichever is larger", () => {
  const of = (one: string, other: string) => overlap(parseSubnet(one), parseSubnet(other));
  assert.ok(of("192.0.2.0/24", "192.0.2.64/26"));
  assert.ok(of("192.0.2.70", "192.0.2.64/26"));
  assert.ok(!of("192.0.2.63", "192.0.2.64/26"));
  assert.ok(of("0.0.0.0/0", "203.0.113.0/26"));
});
