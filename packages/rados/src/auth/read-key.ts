import { Reader, readUtime } from "@siphon/wire";
import type { RadosRemedy } from "../errors.ts";
import { RadosError } from "../errors.ts";
import { AesKey } from "./aes-key.ts";
import { Aes256kKey } from "./aes256k-key.ts";
import type { CryptoKey } from "./crypto-key.ts";

/** Numbers of the types of keys (CEPH_CRYPTO_*, src/include/ceph_fs.h). */
const keyType = { none: 0, aes: 1, aes256k: 2 } as const;

/**
 * CryptoKey: u16 type, utime created, u16 length, bytes (src/auth/Crypto.h).
 *
 * @param what for the error message
 */
export function readCryptoKey(r: Reader, what = "the session key from the monitors"): CryptoKey {
  const type = r.u16();
  readUtime(r);
  const secret = r.raw(r.u16());
  if (type === keyType.aes) return new AesKey(secret);
  if (type === keyType.aes256k) return new Aes256kKey(secret);
  throw new RadosError("SIPHON_RADOS_AUTH", `${what} has unsupported type ${type}`, {
    hint: "supported types are aes and aes256k: give the user such a key, and allow its type on the monitors",
  });
}

/**
 * @param text the base64 form of keyrings
 * @param whose for the error message
 * @param remedy what helps if the text is no key
 */
export function parseCryptoKey(
  text: string,
  whose: string,
  remedy: RadosRemedy["name"] = "check-key",
): CryptoKey {
  const bytes = Buffer.from(text.trim(), "base64");
  try {
    return readCryptoKey(new Reader(bytes, `key of ${whose}`), `the key of ${whose}`);
  } catch (error) {
    if (error instanceof RadosError) throw error;
    throw new RadosError("SIPHON_RADOS_CONFIG", `the key of ${whose} is not a Ceph key`, {
      hint: "a key is the base64 text after `key =` in a keyring",
      remedy: { name: remedy },
    });
  }
}
