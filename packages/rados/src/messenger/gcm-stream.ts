import type { Region } from "./region.ts";

export const gcmTagBytes = 16;
export const gcmKeyBytes = 16;
export const gcmNonceBytes = 12;

/**
 * AES-128-GCM for one direction of one connection: each call uses the next nonce. It works in place, with the 16-byte
 * tag after the ciphertext. There are two equivalent implementations: OpenSSL's EVP functions inside the node binary
 * (with koffi, about a third of the cost), and node:crypto.
 */
export interface GcmStream {
  seal(region: Region, at: number, length: number): void;
  /** False if the tag does not match: the bytes are not what the peer sent. */
  open(region: Region, at: number, length: number): boolean;
  /** Decrypts the beginning of a message of unknown length; it is not verified until `openRest`. */
  openStart(region: Region, at: number, length: number): void;
  /** Decrypts more of the message begun by `openStart`; fastest in multiples of 16 bytes. */
  openMore(region: Region, at: number, length: number): void;
  /** Decrypts the rest of the message begun by `openStart` and checks its tag. */
  openRest(region: Region, at: number, length: number): boolean;
  /** Forgets the key. */
  destroy(): void;
}

export type GcmDirection = "seal" | "open";
