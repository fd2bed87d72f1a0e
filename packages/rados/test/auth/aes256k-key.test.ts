import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { Aes256kKey, decryptRfc8009, deriveKeys, encryptRfc8009 } from "../../src/auth/aes256k-key.ts";
import { type KeyUsage, keyUsage } from "../../src/auth/crypto-key.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ""), "hex");

/** Appendix A of RFC 8009: aes256-cts-hmac-sha384-192, usage 2. */
const rfcKey = hex("6D404D37FAF79F9DF0D33568D320669800EB4836472EA8A026D16B7182460C52");
const rfcUsage = 2;
const vectors = [
  {
    confounder: "F764E9FA15C276478B2C7D0C4E5F58E4",
    plain: "",
    sealed: `41F53FA5BFE7026D91FAF9BE959195A0 58707273A96A40F0A01960621AC612748B9BBFBE7EB4CE3C`,
  },
  {
    confounder: "B80D3251C1F6471494256FFE712D0B9A",
    plain: "000102030405",
    sealed: `4ED7B37C2BCAC8F74F23C1CF07E62BC7B75FB3F637B9 F559C7F664F69EAB7B6092237526EA0D1F61CB20D69D10F2`,
  },
  {
    confounder: "53BF8A0D105265D4E276428624CE5E63",
    plain: "000102030405060708090A0B0C0D0E0F",
    sealed: `BC47FFEC7998EB91E8115CF8D19DAC4BBBE2E163E87DD37F49BECA92027764F6
             8CF51F14D798C2273F35DF574D1F932E40C4FF255B36A266`,
  },
  {
    confounder: "763E65367E864F02F55153C7E3B58AF1",
    plain: "000102030405060708090A0B0C0D0E0F1011121314",
    sealed: `40013E2DF58E8751957D2878BCD2D6FE101CCFD556CB1EAE79DB3C3EE86429F2B2A602AC86
             FEF6ECB647D6295FAE077A1FEB517508D2C16B4192E01F62`,
  },
];

test("keys are derived and texts encrypted as RFC 8009 has it", () => {
  const keys = deriveKeys(rfcKey, rfcUsage);
  assert.equal(
    keys.encryption.export().toString("hex").toUpperCase(),
    "56AB22BEE63D82D7BC5227F6773F8EA7A5EB1C825160C38312980C442E5C7E49",
  );
  assert.equal(
    keys.integrity.export().toString("hex").toUpperCase(),
    "69B16514E3CD8E56B82010D5C73012B622C4D00FFC23ED1F",
  );
  for (const { confounder, plain, sealed } of vectors) {
    assert.deepEqual(encryptRfc8009(keys, hex(plain), hex(confounder)), hex(sealed));
    assert.deepEqual(decryptRfc8009(keys, hex(sealed)), hex(plain));
  }
});

const secret = Buffer.alloc(32, 0x42);
const usages = Object.values(keyUsage);

test("a text of any length comes back, under its key and usage alone, and no changed or cut byte passes", () => {
  const key = new Aes256kKey(secret);
  const other = new Aes256kKey(Buffer.alloc(32, 0x43));
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(),
      fc.constantFrom(...usages),
      (plain, at, usage) => {
        const sealed = key.encrypt(plain, usage);
        assert.deepEqual(key.decrypt(sealed, usage), Buffer.from(plain));
        assert.equal(other.decrypt(sealed, usage), undefined);
        for (const wrong of usages) if (wrong !== usage) assert.equal(key.decrypt(sealed, wrong), undefined);
        const changed = Buffer.from(sealed);
        changed[at % sealed.length]! ^= 1;
        assert.equal(key.decrypt(changed, usage), undefined);
        assert.equal(key.decrypt(sealed.subarray(0, at % sealed.length), usage), undefined);
      },
    ),
    { numRuns: 50 },
  );
});

test("encrypting twice gives different ciphertexts", () => {
  const key = new Aes256kKey(secret);
  const sealed = (usage: KeyUsage) => key.encrypt(Buffer.from("the same"), usage).toString("hex");
  assert.notEqual(sealed(keyUsage.authorize), sealed(keyUsage.authorize));
});

test("challenges and messages are proven by HMAC-SHA-256 under the key itself, folded to 64 bits", () => {
  const key = new Aes256kKey(secret);
  const challenges = Buffer.from("00010203040506070809101112131415", "hex");
  const digest = createHmac("sha256", secret).update(challenges).digest();
  assert.deepEqual(key.sign(challenges), digest);
  const words = [0, 8, 16, 24].map((at) => digest.readBigUInt64LE(at));
  assert.equal(
    key.prove(challenges),
    words.reduce((a, b) => a ^ b),
  );
});

test("a key has 32 bytes", () => {
  for (const length of [0, 16, 31, 33]) {
    assert.throws(() => new Aes256kKey(Buffer.alloc(length)), { code: "SIPHON_RADOS_AUTH" });
  }
});
