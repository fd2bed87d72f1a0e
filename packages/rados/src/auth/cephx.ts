import { randomBytes } from "node:crypto";
import { Reader, Writer } from "@siphon/wire";
import { RadosError } from "../errors.ts";
import { entityType } from "../messenger/peer.ts";
import { type CryptoKey, type KeyType, keyUsage } from "./crypto-key.ts";
import type { EntityName } from "./entity-name.ts";
import { readTickets, type Ticket, type Tickets, unseal, writeTicketBlob } from "./tickets.ts";

/** Types of request (src/auth/cephx/CephxProtocol.h). */
const getAuthSessionKey = 0x0100;
const getPrincipalSessionKey = 0x0200;

/** The services for which a client needs tickets; the session itself authenticates it to monitors. */
const wantedServices = [entityType.osd, entityType.mgr];

/**
 * State of a client in cephx: its own key, its identity, and tickets. Each connection to a monitor works on a fork; the one that
 * wins the hunt is adopted.
 */
export class CephxState {
  readonly name: EntityName;
  #key: CryptoKey;
  #globalId = 0n;
  #tickets: Tickets = new Map();
  /** Server challenge of the monitor session: with it the session's ticket is renewed without a new handshake. */
  #serverChallenge = 0n;

  constructor(name: EntityName, key: CryptoKey) {
    this.name = name;
    this.#key = key;
  }

  get keyType(): KeyType {
    return this.#key.type;
  }

  /** The identity given by the monitors; 0 before the first session. */
  get globalId(): bigint {
    return this.#globalId;
  }

  /** Replaces the client's key; identity and tickets stay. Returns false if it is the same. */
  takeKey(key: CryptoKey): boolean {
    if (key.type === this.#key.type && Buffer.compare(key.reveal(), this.#key.reveal()) === 0) return false;
    this.#key = key;
    return true;
  }

  fork(): CephxState {
    const copy = new CephxState(this.name, this.#key);
    copy.#globalId = this.#globalId;
    copy.#tickets = new Map(this.#tickets);
    return copy;
  }

  adopt(other: CephxState): void {
    this.#globalId = other.#globalId;
    this.#tickets = other.#tickets;
    this.#serverChallenge = other.#serverChallenge;
  }

  /** Drops the identity: the monitors do not restore it after its ticket has expired. */
  forgetIdentity(): void {
    this.#globalId = 0n;
    this.#tickets.clear();
  }

  ticket(service: number): Ticket | undefined {
    const ticket = this.#tickets.get(service);
    return ticket !== undefined && performance.now() < ticket.expires ? ticket : undefined;
  }

  /** Requests the ticket of a service again, because a daemon rejected it. */
  invalidate(service: number): void {
    this.#tickets.delete(service);
  }

  /** Time to renew the next ticket, in milliseconds of `performance.now()`; now if one is missing. */
  get renewAfter(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const service of [entityType.auth, ...wantedServices]) {
      earliest = Math.min(earliest, this.#tickets.get(service)?.renewAfter ?? 0);
    }
    return earliest;
  }

  /** CephXServerChallenge: u8 1, u64 challenge. */
  acceptChallenge(payload: Buffer): void {
    const r = new Reader(payload, "CephXServerChallenge");
    r.u8();
    this.#serverChallenge = r.u64();
  }

  /**
   * The request to the monitor for all tickets that are missing or due: the session's ticket with the others, or only
   * some of the others. Undefined if none is needed.
   *
   *     u16 type; for the session's ticket CephXAuthenticate: u8 3, u64 client challenge, u64 key,
   *     CephXTicketBlob of the ticket renewed, u32 services wanted as well;
   *     for the others: authorizer for the monitor's auth service, u8 1, u32 services
   */
  buildRequest(renew: "session" | "needed"): Buffer | undefined {
    const now = performance.now();
    const stale = (service: number) => now >= (this.#tickets.get(service)?.renewAfter ?? 0);
    const w = new Writer();
    if (renew === "session" || stale(entityType.auth)) {
      const clientChallenge = randomBytes(8).readBigUInt64LE();
      w.u16(getAuthSessionKey).u8(3).u64(clientChallenge).u64(this.#prove(clientChallenge));
      writeTicketBlob(w, this.#globalId === 0n ? undefined : this.#tickets.get(entityType.auth));
      return w.u32(wantedServices.reduce((mask, service) => mask | service, 0)).finish();
    }
    const needed = wantedServices.filter(stale).reduce((mask, service) => mask | service, 0);
    if (needed === 0) return undefined;
    const authorizer = new Authorizer(this, entityType.auth);
    return w.u16(getPrincipalSessionKey).raw(authorizer.request()).u8(1).u32(needed).finish();
  }

  /**
   * Takes the monitor's answer to `buildRequest`:
   *
   *     u16 type, i32 status, tickets; after the session's ticket: blob { encrypted connection secret }, blob
   *     { tickets of the services }
   *
   * @returns the secret of the connection it came over, if it has one
   */
  acceptReply(globalId: bigint, payload: Buffer): Buffer | undefined {
    const r = new Reader(payload, "cephx reply");
    const type = r.u16();
    const status = r.i32();
    if (status !== 0)
      throw new RadosError("SIPHON_RADOS_AUTH", `the monitor refused a ticket (error ${-status})`);
    if (type === getPrincipalSessionKey) {
      readTickets(r, this.sessionKey, this.#tickets);
      return undefined;
    }
    if (type !== getAuthSessionKey) throw r.malformed(`type ${type}`);
    readTickets(r, this.#key, this.#tickets);
    if (globalId !== 0n) this.#globalId = globalId;
    if (r.remaining === 0) return undefined;
    const sealedSecret = r.blob();
    const others = r.blob();
    if (others.length > 0) readTickets(new Reader(others, "service tickets"), this.sessionKey, this.#tickets);
    if (sealedSecret.length === 0) return undefined;
    const sealed = new Reader(sealedSecret, "connection secret").blob();
    return new Reader(unseal(this.sessionKey, sealed, keyUsage.connectionSecret)).blob();
  }

  /** The key shared with the monitor that granted the session's ticket. */
  get sessionKey(): CryptoKey {
    const ticket = this.#tickets.get(entityType.auth);
    if (ticket === undefined)
      throw new RadosError("SIPHON_RADOS_PROTOCOL", "no ticket for the monitor session");
    return ticket.sessionKey;
  }

  #prove(clientChallenge: bigint): bigint {
    return this.#key.prove(new Writer(16).u64(this.#serverChallenge).u64(clientChallenge).finish());
  }
}

/**
 * Proves to a daemon that the client has a ticket for its service, and verifies the daemon's proof (CephXAuthorizer):
 *
 *     u8 1, u64 global id, u32 service, CephXTicketBlob, u32 length, encrypted with the ticket's key:
 *     CephXAuthorize: u8 2, u64 nonce, u8 have challenge, u64 server challenge + 1
 */
export class Authorizer {
  readonly #globalId: bigint;
  readonly #service: number;
  readonly #ticket: Ticket;
  readonly #nonce = randomBytes(8).readBigUInt64LE();

  constructor(state: CephxState, service: number) {
    const ticket = state.ticket(service);
    if (ticket === undefined) {
      const name = Object.entries(entityType).find(([, number]) => number === service)?.[0];
      throw new RadosError("SIPHON_RADOS_AUTH", `no valid ticket for ${name} daemons`, { retryable: true });
    }
    this.#globalId = state.globalId;
    this.#service = service;
    this.#ticket = ticket;
  }

  get sessionKey(): CryptoKey {
    return this.#ticket.sessionKey;
  }

  request(): Buffer {
    return this.#build(undefined);
  }

  /** CephXAuthorizeChallenge, encrypted: u8 1, u64 challenge. */
  answer(challenge: Buffer): Buffer {
    const r = new Reader(
      unseal(this.sessionKey, challenge, keyUsage.authorizeChallenge),
      "CephXAuthorizeChallenge",
    );
    r.u8();
    return this.#build(r.u64());
  }

  /**
   * CephXAuthorizeReply, encrypted behind a u32 length: u8 version, u64 nonce + 1, from version 2 on string
   * connection secret.
   */
  verify(reply: Buffer): Buffer | undefined {
    const sealed = new Reader(reply, "authorizer reply").blob();
    const r = new Reader(unseal(this.sessionKey, sealed, keyUsage.authorizeReply), "authorizer reply");
    const version = r.u8();
    if (r.u64() !== BigInt.asUintN(64, this.#nonce + 1n)) {
      throw new RadosError(
        "SIPHON_RADOS_UNTRUSTED",
        "the daemon could not prove that it belongs to this cluster: its answer does not match the challenge",
      );
    }
    return version >= 2 ? r.blob() : undefined;
  }

  #build(challenge: bigint | undefined): Buffer {
    const w = new Writer().u8(1).u64(this.#globalId).u32(this.#service);
    writeTicketBlob(w, this.#ticket);
    const plus1 = challenge === undefined ? 0n : BigInt.asUintN(64, challenge + 1n);
    const proof = new Writer(32)
      .u8(2)
      .u64(this.#nonce)
      .bool(challenge !== undefined)
      .u64(plus1)
      .finish();
    return w.blob(this.sessionKey.encrypt(proof, keyUsage.authorize)).finish();
  }
}
