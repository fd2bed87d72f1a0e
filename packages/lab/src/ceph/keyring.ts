import { randomBytes } from "node:crypto";
import { type KeyType, keyTypes } from "./key-type.ts";

/** An entity of a keyring: its key and, where a monitor is to import it, its caps. */
export interface KeyringEntry {
  /** With the type: `client.libvirt`, `osd.0`, `mon.`. */
  name: string;
  key: string;
  caps?: Record<string, string>;
}

/**
 * A new secret for cephx, as `ceph-authtool --gen-print-key` prints it. Layout (src/auth/Crypto.cc,
 * CryptoKey::encode), little-endian, base64:
 *
 *     u16 type | u32 created, seconds | u32 created, nanoseconds | u16 length | secret
 */
export function newCephxKey(type: KeyType): string {
  const { number, bytes } = keyTypes[type];
  const head = Buffer.alloc(12);
  const now = Date.now();
  head.writeUInt16LE(number, 0);
  head.writeUInt32LE(Math.floor(now / 1000), 2);
  head.writeUInt32LE((now % 1000) * 1_000_000, 6);
  head.writeUInt16LE(bytes, 10);
  return Buffer.concat([head, randomBytes(bytes)]).toString("base64");
}

/** The text of a keyring file. */
export function keyringText(entries: KeyringEntry[]): string {
  return entries
    .map(({ name, key, caps = {} }) => {
      const lines = Object.entries(caps).map(([service, cap]) => `\tcaps ${service} = "${cap}"`);
      return [`[${name}]`, `\tkey = ${key}`, ...lines, ""].join("\n");
    })
    .join("");
}
