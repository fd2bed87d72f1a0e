import type { CryptoKey } from "../auth/crypto-key.ts";
import type { RadosError } from "../errors.ts";

/** Auth methods and connection modes, as on the wire. */
export const authMethod = { none: 1, cephx: 2 } as const;
export const connectionMode = { crc: 1, secure: 2 } as const;
export type ConnectionMode = keyof typeof connectionMode;

/** Secrets that both sides share after authentication; none with auth method none. */
export interface SessionSecrets {
  /** Signs the handshake (msgr2) or every message (msgr1). */
  sessionKey: Pick<CryptoKey, "sign" | "reveal"> | undefined;
  /** Keys and nonces of secure mode (msgr2). */
  connectionSecret: Uint8Array | undefined;
}

/**
 * The authentication of one connection, from the client's side: a request, optional answers to challenges, and the
 * server's proof. There is one implementation for monitors and one for other daemons, for each auth method.
 */
export interface ConnectionAuth {
  readonly method: number;
  /** The initial payload: the client's identity, or (for daemons other than monitors) the authorizer. */
  request(): Uint8Array;
  /** Answers a challenge. */
  more(payload: Buffer): Uint8Array;
  /** Checks the server's proof; throws if it cannot prove itself. */
  done(globalId: bigint, payload: Buffer): SessionSecrets;
  /** The error for a refusal with this result. */
  refused(result: number, allowedMethods: readonly number[]): RadosError;
}
