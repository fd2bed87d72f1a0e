import {
  type EntityAddr,
  type Reader,
  readEntityAddr,
  readEntityAddrVec,
  type Writer,
  writeEntityAddr,
  writeEntityAddrVec,
} from "@siphon/wire";

/**
 * Payloads of the control frames a client sends and receives, in the order of a handshake
 * (src/msg/async/frames_v2.h). Each is segment 0 of its frame.
 */

/** HELLO, both ways: u8 entity type, entity_addr_t as the sender sees the receiver. */
export interface Hello {
  entityType: number;
  seenAs: EntityAddr;
}

export function writeHello(w: Writer, hello: Hello): void {
  w.u8(hello.entityType);
  writeEntityAddr(w, hello.seenAs);
}

export function readHello(r: Reader): Hello {
  return { entityType: r.u8(), seenAs: readEntityAddr(r) };
}

/** AUTH_REQUEST, to the server: u32 method, list of u32 modes (preferred first), blob. */
export function writeAuthRequest(
  w: Writer,
  method: number,
  modes: readonly number[],
  payload: Uint8Array,
): void {
  w.u32(method).list(modes, (_, mode) => w.u32(mode));
  w.blob(payload);
}

/** AUTH_BAD_METHOD, from the server: u32 method refused, i32 result, lists of u32: methods and modes it allows. */
export interface AuthBadMethod {
  method: number;
  result: number;
  allowedMethods: number[];
  allowedModes: number[];
}

export function readAuthBadMethod(r: Reader): AuthBadMethod {
  return {
    method: r.u32(),
    result: r.i32(),
    allowedMethods: r.list(4, () => r.u32()),
    allowedModes: r.list(4, () => r.u32()),
  };
}

/** AUTH_DONE, from the server: u64 global id, u32 connection mode, blob. */
export interface AuthDone {
  globalId: bigint;
  mode: number;
  payload: Buffer;
}

export function readAuthDone(r: Reader): AuthDone {
  return { globalId: r.u64(), mode: r.u32(), payload: r.blob() };
}

/**
 * CLIENT_IDENT: entity_addrvec_t own addresses, entity_addr_t address dialled, i64 global id, u64 global
 * seq, u64 features supported, u64 required, u64 flags (1: lossy), u64 cookie.
 */
export interface ClientIdent {
  addrs: readonly EntityAddr[];
  target: EntityAddr;
  globalId: bigint;
  globalSeq: bigint;
  supported: bigint;
  required: bigint;
  lossy: boolean;
  cookie: bigint;
}

export function writeClientIdent(w: Writer, ident: ClientIdent): void {
  writeEntityAddrVec(w, ident.addrs);
  writeEntityAddr(w, ident.target);
  w.u64(ident.globalId).u64(ident.globalSeq).u64(ident.supported).u64(ident.required);
  w.u64(ident.lossy ? identFlagLossy : 0n).u64(ident.cookie);
}

/**
 * SERVER_IDENT: entity_addrvec_t, i64 id (the number in osd.N; a rank for monitors), u64 global seq, u64
 * features supported, u64 required, u64 flags, u64 cookie.
 */
export interface ServerIdent {
  addrs: EntityAddr[];
  id: bigint;
  supported: bigint;
  required: bigint;
  lossy: boolean;
}

export function readServerIdent(r: Reader): ServerIdent {
  const addrs = readEntityAddrVec(r);
  const id = r.i64();
  r.u64();
  const supported = r.u64();
  const required = r.u64();
  const lossy = (r.u64() & identFlagLossy) !== 0n;
  r.u64();
  return { addrs, id, supported, required, lossy };
}

const identFlagLossy = 1n;
