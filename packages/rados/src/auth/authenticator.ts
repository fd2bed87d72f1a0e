import { adviceOf, errnoName, Writer } from "@siphon/wire";
import type { RadosRemedy } from "../errors.ts";
import { RadosError } from "../errors.ts";
import { authMethod, type ConnectionAuth, type SessionSecrets } from "../messenger/auth.ts";
import { entityType } from "../messenger/peer.ts";
import { Authorizer, CephxState } from "./cephx.ts";
import type { CryptoKey, KeyType } from "./crypto-key.ts";
import { type EntityName, writeEntityName } from "./entity-name.ts";

/** First byte of an authentication: to a monitor, or to another daemon (AUTH_MODE_*, src/auth/Auth.h). */
const modeAuthorizer = 1;
const modeMonitor = 10;
const noSecrets: SessionSecrets = { sessionKey: undefined, connectionSecret: undefined };

/** Authentication of one client with a whole cluster, by one auth method. */
export interface Authenticator {
  readonly method: number;
  readonly name: EntityName;
  /** The identity given by the monitors; 0 before the first session. */
  readonly globalId: bigint;
  /** Time to request new tickets, in milliseconds of `performance.now()`; Infinity for never. */
  readonly renewAfter: number;
  /** For a connection to a monitor, which may or may not win the hunt. */
  forMonitor(): MonitorAuth;
  /** For a connection to another daemon; throws without a valid ticket. */
  forDaemon(type: "osd" | "mgr"): ConnectionAuth;
  /** Adopts the monitor session of this authentication. */
  adopt(auth: MonitorAuth): void;
  /** The request for new tickets over the session; undefined if all are good. */
  renewal(): Buffer | undefined;
  /** The answer to it. */
  renewed(globalId: bigint, payload: Buffer): void;
  /** The monitors refuse the old identity: start as a new client. */
  forgetIdentity(): void;
  /** Loads the configured key again; false if it is unchanged or unavailable. */
  refreshKey(): Promise<boolean>;
}

/** Looks up the configured key again: administrators replace keys while clients run (`ceph auth rotate`). */
export type KeySource = () => Promise<CryptoKey | undefined>;

export interface MonitorAuth extends ConnectionAuth {
  readonly globalId: bigint;
}

/** By cephx with a key, and by none without. */
export function authenticatorFor(
  name: EntityName,
  key: CryptoKey | undefined,
  source?: KeySource,
): Authenticator {
  return key === undefined ? new NoneAuthenticator(name) : new CephxAuthenticator(name, key, source);
}

/** Auth method none: no proof of identity. */
export class NoneAuthenticator implements Authenticator {
  readonly method = authMethod.none;
  readonly renewAfter = Number.POSITIVE_INFINITY;
  readonly name: EntityName;
  #globalId = 0n;

  constructor(name: EntityName) {
    this.name = name;
  }

  get globalId(): bigint {
    return this.#globalId;
  }

  forMonitor(): MonitorAuth {
    return new NoneAuth(this.name, modeMonitor, this.#globalId);
  }

  forDaemon(): ConnectionAuth {
    return new NoneAuth(this.name, modeAuthorizer, this.#globalId);
  }

  adopt(auth: MonitorAuth): void {
    this.#globalId = auth.globalId;
  }

  renewal(): undefined {}

  renewed(): void {}

  forgetIdentity(): void {
    this.#globalId = 0n;
  }

  refreshKey(): Promise<boolean> {
    return Promise.resolve(false);
  }
}

/** Cephx: both sides prove that they hold keys. */
export class CephxAuthenticator implements Authenticator {
  readonly method = authMethod.cephx;
  readonly #state: CephxState;
  readonly #source: KeySource | undefined;

  constructor(name: EntityName, key: CryptoKey, source?: KeySource) {
    this.#state = new CephxState(name, key);
    this.#source = source;
  }

  get name(): EntityName {
    return this.#state.name;
  }

  get globalId(): bigint {
    return this.#state.globalId;
  }

  get renewAfter(): number {
    return this.#state.renewAfter;
  }

  forMonitor(): CephxMonitorAuth {
    return new CephxMonitorAuth(this.#state.fork());
  }

  forDaemon(type: "osd" | "mgr"): ConnectionAuth {
    return new CephxDaemonAuth(this.#state, type);
  }

  adopt(auth: MonitorAuth): void {
    if (auth instanceof CephxMonitorAuth) this.#state.adopt(auth.state);
  }

  renewal(): Buffer | undefined {
    return this.#state.buildRequest("needed");
  }

  renewed(globalId: bigint, payload: Buffer): void {
    this.#state.acceptReply(globalId, payload);
  }

  forgetIdentity(): void {
    this.#state.forgetIdentity();
  }

  async refreshKey(): Promise<boolean> {
    try {
      const key = await this.#source?.();
      return key !== undefined && this.#state.takeKey(key);
    } catch {
      // The keyring may be in the middle of its replacement; the monitors' refusal of the old key is reported anyway.
      return false;
    }
  }
}

/** To a monitor: u8 10, EntityName, u64 global id; to others: u8 1 and the same. */
class NoneAuth implements MonitorAuth {
  readonly method = authMethod.none;
  readonly #name: EntityName;
  readonly #mode: number;
  globalId: bigint;

  constructor(name: EntityName, mode: number, globalId: bigint) {
    this.#name = name;
    this.#mode = mode;
    this.globalId = globalId;
  }

  request(): Buffer {
    return opening(this.#mode, this.#name, this.globalId);
  }

  more(): never {
    throw new RadosError(
      "SIPHON_RADOS_PROTOCOL",
      "received an authentication challenge, but authentication is off",
    );
  }

  done(globalId: bigint): SessionSecrets {
    if (globalId !== 0n) this.globalId = globalId;
    return noSecrets;
  }

  refused(result: number, allowedMethods: readonly number[]): RadosError {
    return refusal(this.#name, this.method, result, allowedMethods);
  }
}

export class CephxMonitorAuth implements MonitorAuth {
  readonly method = authMethod.cephx;
  readonly state: CephxState;
  #challenged = false;

  constructor(state: CephxState) {
    this.state = state;
  }

  get globalId(): bigint {
    return this.state.globalId;
  }

  request(): Buffer {
    return opening(modeMonitor, this.state.name, this.state.globalId);
  }

  more(payload: Buffer): Buffer {
    if (this.#challenged)
      throw new RadosError("SIPHON_RADOS_PROTOCOL", "the monitor sent a second challenge");
    this.#challenged = true;
    this.state.acceptChallenge(payload);
    return this.state.buildRequest("session")!;
  }

  done(globalId: bigint, payload: Buffer): SessionSecrets {
    if (!this.#challenged) {
      throw new RadosError(
        "SIPHON_RADOS_UNTRUSTED",
        "the monitor accepted this client without checking its key",
      );
    }
    const connectionSecret = this.state.acceptReply(globalId, payload);
    return { sessionKey: this.state.sessionKey, connectionSecret };
  }

  refused(result: number, allowedMethods: readonly number[]): RadosError {
    return refusal(this.state.name, this.method, result, allowedMethods, this.state.keyType);
  }
}

class CephxDaemonAuth implements ConnectionAuth {
  readonly method = authMethod.cephx;
  readonly #state: CephxState;
  readonly #type: "osd" | "mgr";
  readonly #authorizer: Authorizer;

  constructor(state: CephxState, type: "osd" | "mgr") {
    this.#state = state;
    this.#type = type;
    this.#authorizer = new Authorizer(state, entityType[type]);
  }

  request(): Buffer {
    return this.#authorizer.request();
  }

  more(payload: Buffer): Buffer {
    return this.#authorizer.answer(payload);
  }

  done(_globalId: bigint, payload: Buffer): SessionSecrets {
    const connectionSecret = this.#authorizer.verify(payload);
    return { sessionKey: this.#authorizer.sessionKey, connectionSecret };
  }

  /** The daemon may have newer secrets than those of the ticket: the next attempt requests a new ticket. */
  refused(result: number, allowedMethods: readonly number[]): RadosError {
    this.#state.invalidate(entityType[this.#type]);
    const error = refusal(this.#state.name, this.method, result, allowedMethods, this.#state.keyType);
    return new RadosError(error.code, error.message, { retryable: true, ...adviceOf(error) });
  }
}

function opening(mode: number, name: EntityName, globalId: bigint): Buffer {
  const w = new Writer().u8(mode);
  writeEntityName(w, name);
  return w.u64(globalId).finish();
}

const methodNames = new Map<number, string>([
  [authMethod.none, "none"],
  [authMethod.cephx, "cephx"],
]);

function refusal(
  name: EntityName,
  method: number,
  result: number,
  allowed: readonly number[],
  keyType?: KeyType,
): RadosError {
  const user = `${name.type}.${name.id}`;
  if (!allowed.includes(method)) {
    const wanted = allowed.map((m) => methodNames.get(m) ?? `method ${m}`).join(" or ");
    return new RadosError(
      "SIPHON_RADOS_AUTH",
      `the cluster requires auth method ${wanted || "(unnamed)"}, not ${methodNames.get(method)}`,
      method === authMethod.none
        ? {
            hint: `set \`keyring\` in ceph.conf to a keyring with the key of ${user}`,
            remedy: { name: "name-keyring" } satisfies RadosRemedy,
          }
        : { hint: "if the cluster is meant to be open, set auth_client_required = none in ceph.conf" },
    );
  }
  return new RadosError(
    "SIPHON_RADOS_AUTH",
    // Monitors do not say which of these it is.
    `the cluster rejected ${user}: no such user, a wrong key, or keys of type ${keyType} are not allowed ` +
      `(${errnoName(result) ?? `error ${-result}`})`,
    {
      hint:
        `compare the keyring with \`ceph auth get ${user}\`, and the key's type with auth_allowed_ciphers in ` +
        `\`ceph mon dump\`; to get a key of an allowed type: \`ceph auth rotate ${user}\``,
    },
  );
}
