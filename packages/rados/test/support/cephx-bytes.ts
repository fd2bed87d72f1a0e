import { Writer } from "@siphon/wire";
import { type CryptoKey, keyUsage } from "../../src/auth/crypto-key.ts";
import { parseCryptoKey } from "../../src/auth/read-key.ts";

/** CryptoKey: u16 type, utime, u16 length, bytes; of type aes256k if there are 32. */
export function keyBytes(bytes: Uint8Array, type = bytes.length === 32 ? 2 : 1): Buffer {
  return Buffer.from(new Writer().u16(type).u64(0).u16(bytes.length).raw(bytes).finish());
}

export function keyOf(bytes: Uint8Array): CryptoKey {
  return parseCryptoKey(keyBytes(bytes).toString("base64"), "client.admin");
}

/** The lifetime of a ticket, and its key (CephXServiceTicket). */
export function serviceTicket(key: Uint8Array, seconds: number): Buffer {
  return Buffer.from(new Writer().u8(1).raw(key).u32(seconds).u32(0).finish());
}

/** A monitor's grant: a ticket for a service, sealed with a key it shares with the client. */
export function grant(service: number, sealing: CryptoKey, ticket: Uint8Array): Buffer {
  const blob = new Writer().u8(1).u64(7n).blob(Buffer.from("opaque")).finish();
  const w = new Writer()
    .u8(1)
    .u32(1)
    .u32(service)
    .u8(1)
    .blob(sealing.encrypt(ticket, keyUsage.ticketSessionKey));
  return Buffer.from(w.u8(0).blob(blob).finish());
}
