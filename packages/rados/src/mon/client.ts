import type { EntityAddr } from "@siphon/wire";
import type { Authenticator } from "../auth/authenticator.ts";
import type { RadosError } from "../errors.ts";
import { authMessage, readAuthReply } from "../messages/auth.ts";
import { monCommandMessage } from "../messages/mon-command.ts";
import { monGetVersionMessage } from "../messages/mon-get-version.ts";
import { type PoolOp, poolOpMessage } from "../messages/pool-op.ts";
import { messageType } from "../messages/types.ts";
import { Backoff } from "../messenger/backoff.ts";
import type { IncomingMessage } from "../messenger/message.ts";
import type { Messenger } from "../messenger/messenger.ts";
import type { Peer } from "../messenger/peer.ts";
import type { WaitOptions } from "../wait.ts";
import { type Candidate, candidatesOf, monitorNamed } from "./candidates.ts";
import { publish } from "./events.ts";
import { handleClosed, otherCluster, unreachable } from "./failure.ts";
import { Hunt } from "./hunt.ts";
import type { MonMap } from "./monmap.ts";
import { type MonNews, readMonNews } from "./news.ts";
import { type CommandResult, PendingRequests } from "./requests.ts";
import type { MonSession } from "./session.ts";
import { SignOfLife } from "./sign-of-life.ts";
import { Subscriptions } from "./subscriptions.ts";
import { TicketRenewal } from "./ticket-renewal.ts";

export interface MonClientOptions {
  /** Addresses to find the first monitor. */
  candidates: readonly Candidate[];
  /** The cluster's required fsid, if known. */
  fsid?: string | undefined;
  /** Milliseconds between keepalives (mon_client_ping_interval); default 10,000. */
  pingInterval?: number;
  /** Milliseconds without a reply after which the client looks for another monitor; default 30,000. */
  pingTimeout?: number;
}

/** Milliseconds after which a session counts as good. */
const stableSession = 2_000;

/**
 * The client's session with the monitors. There is always one, or the client is looking for one; subscriptions and
 * unanswered requests move to the next one.
 */
export class MonClient {
  readonly #messenger: Messenger;
  readonly #authenticator: Authenticator;
  readonly #events: MonNews;
  readonly #options: MonClientOptions;
  readonly #requests = new PendingRequests();
  readonly #renewal: TicketRenewal;
  readonly #signOfLife: SignOfLife;
  readonly #subscriptions = new Subscriptions();
  #candidates: readonly Candidate[];
  #monmap: MonMap | undefined;
  #session: MonSession | undefined;
  #hunt: Hunt | undefined;
  readonly #backoff = new Backoff();
  #sessionSince = 0;
  #huntTimer: NodeJS.Timeout | undefined;
  #closed = false;
  /** Resolves with the first session. */
  #first: PromiseWithResolvers<void> | undefined;
  #lastErrors: RadosError[] = [];

  constructor(
    messenger: Messenger,
    authenticator: Authenticator,
    options: MonClientOptions,
    handler: MonNews,
  ) {
    this.#messenger = messenger;
    this.#authenticator = authenticator;
    this.#options = options;
    this.#events = handler;
    this.#candidates = options.candidates;
    const { pingInterval = 10_000, pingTimeout = 30_000 } = options;
    this.#signOfLife = new SignOfLife(pingInterval, pingTimeout, (session, error) =>
      this.#lost(session, error),
    );
    this.#renewal = new TicketRenewal(authenticator, (request) => {
      this.#session?.send(authMessage(authenticator.method, request));
      return this.#session !== undefined;
    });
  }

  /** The monitors, known after the first session. */
  get monmap(): MonMap | undefined {
    return this.#monmap;
  }

  /** Name of the session's monitor, `mon.a`; undefined while the client looks for one. */
  get currentMon(): string | undefined {
    return this.#session?.peer.name;
  }

  /** The addresses of a monitor by name. */
  peer(name: string): Peer {
    return monitorNamed(name, this.#monmap!, this.#mayUse);
  }

  /**
   * Finds the first monitor and gets the monitor map. Fails at once if every monitor gives a permanent reason,
   * otherwise after the timeout.
   *
   * @param timeout milliseconds
   */
  async open(timeout: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#first = Promise.withResolvers();
    const timer = setTimeout(
      () => this.#first?.reject(unreachable(timeout, this.#candidates, this.#lastErrors)),
      timeout,
    );
    const abort = () => this.#first?.reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      this.#startHunt();
      await this.#first.promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      this.#first = undefined;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#huntTimer);
    this.#signOfLife.stop();
    this.#renewal.stop();
    this.#hunt?.stop();
    this.#session?.close();
    this.#session = undefined;
    const closed = handleClosed();
    this.#first?.reject(closed);
    this.#requests.failAll(closed);
  }

  /** Subscribes to a map: "osdmap", "config", "mgrmap". */
  subscribe(what: string, start = 0, once = false): void {
    this.#subscriptions.add(what, start, once);
    this.#subscriptions.sendSoon((message) => this.#session?.send(message));
  }

  /** The client has this version: later sessions request the following ones. */
  received(what: string, version: number): void {
    this.#subscriptions.received(what, version);
  }

  /** Sends a command (JSON text) to the monitors and waits for the answer, which may be an error. */
  command(
    command: string,
    input: Uint8Array | undefined,
    what: string,
    options?: WaitOptions,
  ): Promise<CommandResult> {
    const message = monCommandMessage(this.#requests.nextTid(), this.#monmap!.fsid, command, input);
    return this.#request(message, what, options);
  }

  /** The monitors' newest version of a map. */
  async newestVersion(what: string, options?: WaitOptions): Promise<number> {
    const message = monGetVersionMessage(this.#requests.nextTid(), what);
    const { output } = await this.#request(message, `requesting the newest ${what}`, options);
    return Number(output.readBigUInt64LE());
  }

  /** Changes a pool; the answer may be an error. */
  poolOp(op: PoolOp, what: string, options?: WaitOptions): Promise<CommandResult> {
    return this.#request(poolOpMessage(this.#requests.nextTid(), this.#monmap!.fsid, op), what, options);
  }

  /** Requests new tickets now, for example because a daemon rejected one; concurrent calls share one request. */
  renewTickets(): void {
    this.#renewal.now();
  }

  #request(
    message: Parameters<PendingRequests["wait"]>[0],
    what: string,
    options?: WaitOptions,
  ): Promise<CommandResult> {
    if (this.#closed) return Promise.reject(handleClosed(what));
    return this.#requests.wait(message, (now) => this.#session?.send(now), what, options);
  }

  #startHunt(): void {
    if (this.#closed || this.#hunt !== undefined) return;
    this.#hunt = new Hunt(
      this.#messenger,
      this.#authenticator,
      this.#candidates,
      {
        ready: () => {},
        message: (session, message) => this.#dispatch(session, message),
        closed: (session, error) => this.#lost(session, error),
      },
      {
        found: (session) => this.#found(session),
        failed: (errors) => this.#huntFailed(errors),
      },
    );
  }

  #found(session: MonSession): void {
    this.#hunt = undefined;
    this.#session = session;
    this.#sessionSince = performance.now();
    this.#lastErrors = [];
    this.#authenticator.adopt(session.auth);
    // Locks and watches keep the first global id: OSDs use the id that a connection announces, whatever its ticket
    // says.
    this.#messenger.globalId ||= this.#authenticator.globalId;
    publish({ event: "session", mon: session.peer.name, globalId: this.#authenticator.globalId });
    session.send(this.#subscriptions.message());
    for (const message of this.#requests.messages) session.send(message);
    this.#signOfLife.watch(session);
    this.#renewal.start();
  }

  #lost(session: MonSession, error: RadosError): void {
    if (session !== this.#session) return;
    this.#session = undefined;
    this.#signOfLife.stop();
    this.#renewal.stop();
    publish({ event: "hunting", error });
    // A monitor that accepts a session and then disconnects is retried with pauses.
    if (performance.now() - this.#sessionSince > stableSession) {
      this.#backoff.reset();
      this.#startHunt();
    } else this.#huntAgainLater();
  }

  /** No monitor accepted the client: pauses, longer each time, so that a cluster in trouble is not flooded. */
  #huntFailed(errors: RadosError[]): void {
    this.#hunt = undefined;
    this.#lastErrors = errors;
    const first = errors[0];
    if (first !== undefined) publish({ event: "hunting", error: first });
    const lasting = errors.find((error) => !error.retryable);
    if (this.#first !== undefined && lasting !== undefined && errors.every((error) => !error.retryable)) {
      this.#first.reject(lasting);
      return;
    }
    if (errors.some(({ code }) => code === "SIPHON_RADOS_AUTH")) void this.#afterRefusal();
    else this.#huntAgainLater();
  }

  /**
   * The key may have been replaced; or the ticket that proves the identity has expired while no monitor could renew it.
   */
  async #afterRefusal(): Promise<void> {
    if (!(await this.#authenticator.refreshKey())) this.#authenticator.forgetIdentity();
    this.#huntAgainLater();
  }

  #huntAgainLater(): void {
    if (this.#closed) return;
    this.#huntTimer = setTimeout(() => this.#startHunt(), this.#backoff.next());
  }

  #dispatch(session: MonSession, message: IncomingMessage): void {
    if (session !== this.#session) return;
    if (message.type === messageType.authReply) this.#handleAuthReply(session, message);
    // Other messages are unsolicited news.
    else if (!readMonNews(message, this.#news)) this.#requests.take(message);
  }

  readonly #news: MonNews = {
    monmap: (map) => this.#handleMonMap(this.#session!, map),
    osdmap: (maps) => this.#events.osdmap(maps),
    config: (settings) => this.#events.config(settings),
    mgrmap: (map) => {
      this.received("mgrmap", map.epoch);
      this.#events.mgrmap(map);
    },
  };

  #handleMonMap(session: MonSession, monmap: MonMap): void {
    // Another cluster may now use a known address.
    const fsid = this.#options.fsid ?? this.#monmap?.fsid;
    if (fsid !== undefined && fsid !== monmap.fsid) {
      const error = otherCluster(monmap.fsid, fsid);
      this.#first?.reject(error);
      session.close();
      this.#lost(session, error);
      return;
    }
    this.#monmap = monmap;
    this.received("monmap", monmap.epoch);
    const candidates = candidatesOf(monmap, this.#mayUse);
    if (candidates.length > 0) this.#candidates = candidates;
    this.#events.monmap(monmap);
    this.#first?.resolve();
  }

  readonly #mayUse = (addr: EntityAddr): boolean =>
    addr.type === "msgr2" || this.#messenger.modes.mon.includes("crc");

  #handleAuthReply(session: MonSession, message: IncomingMessage): void {
    const reply = readAuthReply(message.readFront("MAuthReply"));
    if (reply.result < 0) {
      session.close();
      this.#lost(session, session.auth.refused(reply.result, [this.#authenticator.method]));
      return;
    }
    this.#authenticator.renewed(reply.globalId, reply.payload);
    publish({ event: "tickets", mon: session.peer.name });
    this.#renewal.answered();
  }
}
