import { Writer } from "@siphon/wire";

/** Purposes of encryption: keys of type aes256k derive a key for each (src/auth/cephx/CephxProtocol.h). */
export const keyUsage = {
  connectionSecret: 0x03,
  ticketSessionKey: 0x04,
  ticketBlob: 0x05,
  authorize: 0x10,
  authorizeChallenge: 0x11,
  authorizeReply: 0x12,
} as const;
export type KeyUsage = (typeof keyUsage)[keyof typeof keyUsage];

/** Types of keys, by Ceph's names for them. */
export type KeyType = "aes" | "aes256k";

/**
 * A secret of cephx. The type of key determines the encryption. The key itself is private: it is in no public property
 * and is never printed.
 */
export interface CryptoKey {
  readonly type: KeyType;
  /** Encrypts with an envelope, which proves after decryption that the key was right. */
  encrypt(plain: Uint8Array, usage: KeyUsage): Buffer;
  /** Decrypts the contents of the envelope; undefined if the key or usage differs. */
  decrypt(sealed: Uint8Array, usage: KeyUsage): Buffer | undefined;
  /**
   * The answer to a monitor's challenge (cephx_calc_client_server_challenge): only a holder of the key can compute it.
   */
  prove(challenges: Uint8Array): bigint;
  /** For the signature of a message: four words of 64 bits, of a block of 32 bytes. */
  sign(block: Uint8Array): Buffer;
  /** The raw key, for the handshake's HMAC. Never to be shown. */
  reveal(): Uint8Array;
}

const magic = 0xff009cad8826aa55n;
const envelopeBytes = 1 + 8;

/** u8 1, u64 0xff009cad8826aa55, contents (encode_encrypt_enc_bl). */
export function inEnvelope(contents: Uint8Array): Buffer {
  return new Writer(envelopeBytes + contents.length).u8(1).u64(magic).raw(contents).finish();
}

/** The contents; undefined without a valid envelope. */
export function outOfEnvelope(envelope: Buffer): Buffer | undefined {
  if (envelope.length < envelopeBytes || envelope.readBigUInt64LE(1) !== magic) return undefined;
  return envelope.subarray(envelopeBytes);
}

/** The XOR of the 64-bit words; an incomplete last word is ignored. */
export function xorWords(bytes: Buffer): bigint {
  let word = 0n;
  for (let at = 0; at + 8 <= bytes.length; at += 8) word ^= bytes.readBigUInt64LE(at);
  return word;
}
