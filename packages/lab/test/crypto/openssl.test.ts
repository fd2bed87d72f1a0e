import assert from "node:assert/strict";
import { test } from "node:test";
import { opensslSpeed, opensslVersion, parseSpeed } from "../../src/crypto/openssl.ts";

test("openssl tells bytes a second, decrypting and encrypting", async () => {
  assert.match((await opensslVersion())!, /^OpenSSL \d/);
  for (const direction of ["decrypt", "encrypt"] as const) {
    const speed = await opensslSpeed({ direction, size: 16_384, seconds: 1 });
    assert.ok(speed > 1e7 && speed < 1e11, `${direction}: ${speed}`);
  }
});

test("an abort ends openssl", async () => {
  const stop = new AbortController();
  const speed = opensslSpeed({ direction: "decrypt", size: 16, seconds: 3600, signal: stop.signal });
  setTimeout(() => stop.abort(), 50);
  await assert.rejects(speed, { name: "AbortError" });
});

test("the figure is taken from the machine-readable line; without one there is none", () => {
  assert.equal(parseSpeed("+H:16384\n+F:25:AES-128-GCM:3324698122.45\n"), 3324698122.45);
  assert.equal(parseSpeed("+H:16384\n"), undefined);
  assert.equal(parseSpeed("+F:25:AES-128-GCM:0.00\n"), undefined);
});
