import { Reader, readUtime, utimeToMilliseconds, type Writer } from "@siphon/wire";
import { RadosError } from "../errors.ts";
import { type CryptoKey, type KeyUsage, keyUsage } from "./crypto-key.ts";
import { readCryptoKey } from "./read-key.ts";

/** A ticket for the daemons of one service: a key shared with them, and a proof for them. */
export interface Ticket {
  readonly sessionKey: CryptoKey;
  readonly secretId: bigint;
  /** Opaque to the client: encrypted for the service. */
  readonly blob: Buffer;
  /** Milliseconds of `performance.now()`, so that clocks may differ. */
  readonly renewAfter: number;
  readonly expires: number;
  /** The session key of the ticket that this one replaced. */
  readonly keyBefore: CryptoKey | undefined;
}

/** By the number of the service (an entity type). */
export type Tickets = Map<number, Ticket>;

/**
 * Reads granted tickets into `tickets` (cephx_build_service_ticket_reply):
 *
 *     u8 1, list of { u32 service, u8 1, u32 length, encrypted with `key`: CephXServiceTicket,
 *                     u8 encrypted, ticket: u32 length, CephXTicketBlob; or the same, encrypted with the key
 *                     of the ticket it renews, behind a u32 length }
 *     CephXServiceTicket: u8 1, CryptoKey, utime validity
 *     CephXTicketBlob: u8 1, u64 secret id, blob
 *
 * @param key key shared with the monitors, which proves that the sender is one
 */
export function readTickets(r: Reader, key: CryptoKey, tickets: Tickets): void {
  expectVersion(r, r.u8());
  for (let left = r.count(leastTicketBytes); left > 0; left--) {
    const service = r.u32();
    expectVersion(r, r.u8());
    const granted = new Reader(unseal(key, r.blob(), keyUsage.ticketSessionKey), "CephXServiceTicket");
    expectVersion(granted, granted.u8());
    const sessionKey = readCryptoKey(granted);
    const validity = utimeToMilliseconds(readUtime(granted));
    const encrypted = r.bool();
    const ticket = encrypted ? new Reader(unsealRenewed(tickets.get(service), r.blob()), "ticket") : r;
    const blob = new Reader(ticket.blob(), "CephXTicketBlob");
    expectVersion(blob, blob.u8());
    const secretId = blob.u64();
    const now = performance.now();
    tickets.set(service, {
      sessionKey,
      secretId,
      blob: Buffer.from(blob.blob()),
      renewAfter: now + validity * renewAt,
      expires: now + validity,
      keyBefore: tickets.get(service)?.sessionKey,
    });
  }
}

/** CephXTicketBlob; empty without a ticket. */
export function writeTicketBlob(w: Writer, ticket: Ticket | undefined): void {
  w.u8(1)
    .u64(ticket?.secretId ?? 0n)
    .blob(ticket?.blob ?? Buffer.alloc(0));
}

/** Decrypts a message of the other side; a failure means that it could not prove its identity. */
export function unseal(key: CryptoKey, sealed: Uint8Array, usage: KeyUsage): Buffer {
  const plain = key.decrypt(sealed, usage);
  if (plain === undefined) {
    throw new RadosError(
      "SIPHON_RADOS_UNTRUSTED",
      "the server could not prove that it belongs to this cluster: it does not have the key that it shares with clients",
      { hint: "check that mon_host and the keyring are of the same cluster" },
    );
  }
  return plain;
}

/** Tickets are renewed when three quarters of their life have passed. */
const renewAt = 0.75;
const leastTicketBytes = 4 + 1 + 4 + 1 + 4;

/**
 * It is sealed with the key of the ticket at the time of the request. A slow monitor is asked again, and answers both
 * requests: the second answer is sealed for the ticket that the first one has replaced.
 */
function unsealRenewed(old: Ticket | undefined, sealed: Uint8Array): Buffer {
  if (old === undefined)
    throw new RadosError("SIPHON_RADOS_PROTOCOL", "received a renewed ticket for a service without a ticket");
  return (
    old.keyBefore?.decrypt(sealed, keyUsage.ticketBlob) ?? unseal(old.sessionKey, sealed, keyUsage.ticketBlob)
  );
}

function expectVersion(r: Reader, version: number): void {
  if (version !== 1) throw r.malformed(`version ${version} of a ticket`);
}
