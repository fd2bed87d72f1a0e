import assert from "node:assert/strict";
import { test } from "node:test";
import { type KeyType, keysOf, monmapCiphers } from "../../src/ceph/key-type.ts";
import { newCephxKey } from "../../src/ceph/keyring.ts";
import { host, type Platform } from "../../src/host/platform.ts";

/** A platform whose ceph-authtool makes keys of this type. */
function making(key: string): Platform {
  return {
    ...host,
    command: (_program, _args, { env = {} } = {}) => ({ command: "echo", args: [key], env }),
  };
}

const made = (type: KeyType) => making(newCephxKey(type));

test("a cluster's keys are of the type that its Ceph makes, unless told", async () => {
  for (const type of ["aes", "aes256k"] as const) {
    assert.deepEqual(await keysOf(undefined, {}, made(type)), { type, mustBeAllowed: false });
    assert.deepEqual(await keysOf(type, {}, made(type)), { type, mustBeAllowed: false });
  }
});

test("keys of the older type are let in by the monitors' map, and only there", async () => {
  const keys = await keysOf("aes", {}, made("aes256k"));
  assert.deepEqual(keys, { type: "aes", mustBeAllowed: true });
  assert.deepEqual(monmapCiphers(keys), [
    ...["--auth-allowed-ciphers", "aes,aes256k"],
    ...["--auth-service-cipher", "aes", "--auth-preferred-cipher", "aes"],
  ]);
  assert.deepEqual(monmapCiphers({ type: "aes", mustBeAllowed: false }), []);
});

test("a type that a Ceph does not know is refused in one sentence", async () => {
  await assert.rejects(keysOf("aes256k", {}, made("aes")), {
    code: "SIPHON_USAGE",
    message: "this Ceph has no keys of type aes256k",
    hint: /20\.2\.4/,
  });
  const newer = making(Buffer.concat([Buffer.from([7, 0]), Buffer.alloc(40)]).toString("base64"));
  await assert.rejects(keysOf(undefined, {}, newer), { message: /keys of type 7/, hint: /--key-type aes/ });
  assert.deepEqual(await keysOf("aes", {}, newer), { type: "aes", mustBeAllowed: true });
});
