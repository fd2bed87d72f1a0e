import assert from "node:assert/strict";
import { test } from "node:test";
import { keyringText, newCephxKey } from "../../src/ceph/keyring.ts";

test("a new key has the layout of Ceph's own, and a secret of its own", () => {
  const key = Buffer.from(newCephxKey("aes"), "base64");
  assert.equal(key.length, 28);
  assert.equal(key.readUInt16LE(0), 1);
  assert.ok(Math.abs(key.readUInt32LE(2) - Date.now() / 1000) < 60);
  assert.ok(key.readUInt32LE(6) < 1e9);
  assert.equal(key.readUInt16LE(10), 16);
  assert.notDeepEqual(Buffer.from(newCephxKey("aes"), "base64").subarray(12), key.subarray(12));
  const newer = Buffer.from(newCephxKey("aes256k"), "base64");
  assert.deepEqual([newer.length, newer.readUInt16LE(0), newer.readUInt16LE(10)], [44, 2, 32]);
});

test("a keyring holds each entity with its key and caps", () => {
  const text = keyringText([
    { name: "mon.", key: "K1", caps: { mon: "allow *" } },
    { name: "client.a", key: "K2" },
  ]);
  assert.equal(text, '[mon.]\n\tkey = K1\n\tcaps mon = "allow *"\n[client.a]\n\tkey = K2\n');
});
