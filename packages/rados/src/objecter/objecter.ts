import { RadosError } from "../errors.ts";
import type { Redirect } from "../messages/osd-op-reply.ts";
import type { OsdMap } from "../osdmap/osdmap.ts";
import { PoolFlag } from "../osdmap/pool.ts";
import { throwUnowned } from "../unowned.ts";
import { blocklisted, errno, unanswered } from "./failures.ts";
import { onlyDeletes } from "./gates.ts";
import { describeRequest, type RequestInFlight } from "./in-flight-table.ts";
import { costOf, InFlight } from "./limits.ts";
import type { ObjecterHost, ObjecterListener, ObjecterOptions } from "./objecter-host.ts";
import { requestFlag } from "./op-code.ts";
import type { OsdSession } from "./osd-session.ts";
import { OsdSessions } from "./osd-sessions.ts";
import type { ObjectRequest } from "./request.ts";
import { hold, type Requests } from "./requests.ts";
import { Routing } from "./routing.ts";
import { ObjectTarget } from "./target.ts";
import { Watchdog } from "./watchdog.ts";

/**
 * Sends requests for objects to the OSDs that serve them, across new maps, lost connections, pauses and full pools. A
 * request is resent with the same id until it is answered, so that a write is executed only once.
 */
export class Objecter implements Disposable {
  readonly #host: ObjecterHost;
  readonly #options: ObjecterOptions;
  readonly #sessions: OsdSessions;
  /** Requests without an OSD or a pool. */
  readonly #homeless: Requests = new Map();
  /** Requests beyond the limits. */
  readonly #queue: Requests = new Map();
  /** Requests that fail in a later turn than their submission. */
  readonly #doomed: Requests = new Map();
  readonly #inFlight: InFlight;
  readonly #watch: Disposable;
  readonly #watchdog: Watchdog;
  readonly #routing: Routing;
  #lastTid = 0;
  /** Why no more requests are accepted. */
  #ended: RadosError | undefined;
  #asksForMap = false;

  /** @internal */
  constructor(host: ObjecterHost, options: ObjecterOptions) {
    this.#host = host;
    this.#options = options;
    this.#inFlight = new InFlight(options.limits);
    this.#sessions = new OsdSessions(host, {
      ready: (session) => this.#sendAll(session),
      finished: (request, result, error) => this.#answered(request, result, error),
      again: (request) => this.#again(request),
      redirected: (request, redirect) => this.#redirected(request, redirect),
      epoch: (epoch) => {
        if (epoch > this.#routing.map.epoch) this.#watchdog.behind = true;
      },
    });
    this.#routing = new Routing(host.osdmaps.map!, options.location);
    this.#watch = host.osdmaps.watch((map) => this.#mapChanged(map));
    this.#watchdog = new Watchdog({
      requests: () => this.#all(),
      sessions: () => this.#sessions.values(),
      expired: (request) => this.#finish(request, -errno.timedOut, unanswered(request)),
      unheard: () => this.#askForMap(),
      retry: () => this.#retry(),
    });
  }

  /**
   * Submits a request. Its result arrives at the request, never within this call.
   *
   * @throws Error if the request is already in flight
   */
  submit(request: ObjectRequest): void {
    const { dispatch } = request;
    const { clock } = this.#host.messenger;
    if (dispatch.holder !== undefined) throw new Error("the request is already in flight");
    const timeout = request.timeout || this.#options.timeout;
    dispatch.begin(++this.#lastTid, request.flags, costOf(request), clock.now, timeout);
    request.result = 0;
    request.error = undefined;
    this.#watchdog.wake(timeout > 0);
    if ((request.flags & requestFlag.write) !== 0) {
      dispatch.writtenAt = request.mtime < 0 ? clock.date : request.mtime;
      if (onlyDeletes(request.ops)) dispatch.flags |= requestFlag.fullForce;
    }
    if (this.#ended !== undefined) this.#doom(request, -errno.shutdown, this.#ended);
    else if (this.#queue.size > 0 || !this.#inFlight.admits(dispatch.cost)) hold(this.#queue, request);
    else this.#start(request);
  }

  /**
   * Cancels a request: calls its `completed` before this returns. An operation that was sent may still be executed.
   *
   * @returns whether the request was in flight
   */
  cancel(request: ObjectRequest, error: RadosError, result = -errno.canceled): boolean {
    if (request.dispatch.holder === undefined) return false;
    this.#finish(request, result, error);
    return true;
  }

  /** All unanswered requests, oldest first. */
  inspect(): RequestInFlight[] {
    const now = performance.now();
    return [...this.#all()].map((request) => describeRequest(request, now)).sort((a, b) => a.tid - b.tid);
  }

  /** Passes unsolicited messages of OSDs to a listener, until disposed of. */
  listen(listener: ObjecterListener): Disposable {
    return this.#sessions.listen(listener);
  }

  /** Fails all requests with SIPHON_RADOS_CLOSED, and ends all sessions. */
  close(): void {
    this.#end(new RadosError("SIPHON_RADOS_CLOSED", "the cluster handle was closed"));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #start(request: ObjectRequest): void {
    const { dispatch } = request;
    dispatch.counted = true;
    this.#inFlight.enter(dispatch.cost);
    this.#route(request);
  }

  /** Sends a request to the OSD of the current map. */
  #route(request: ObjectRequest): void {
    const { dispatch } = request;
    const place = this.#routing.placeOf(request);
    if (place === undefined) {
      hold(this.#homeless, request);
      this.#withoutPool(request);
      return;
    }
    const pool = this.#routing.address(request, place);
    if ((pool.flags & PoolFlag.eio) !== 0) this.#doom(request, -errno.io);
    else if (dispatch.osd < 0) hold(this.#homeless, request);
    else this.#sessions.with(dispatch.osd).take(request);
  }

  /** There is a connection now. */
  #sendAll(session: OsdSession): void {
    for (const request of session.requests.values()) {
      this.#routing.addressAnew(request, session.osd);
      session.send(request);
    }
  }

  #answered(request: ObjectRequest, result: number, error: RadosError | undefined): void {
    if (result === -errno.shutdown) this.#end(blocklisted());
    else this.#finish(request, result, error);
  }

  /**
   * If a replica cannot answer, the primary gets the request at once; if a primary cannot, it gets the request again a
   * little later. The id is new, because the old one was answered.
   */
  #again(request: ObjectRequest): void {
    const { dispatch } = request;
    const fromReplica = dispatch.osd !== dispatch.primary;
    dispatch.flags &= ~(requestFlag.balanceReads | requestFlag.localizeReads);
    this.#renumber(request);
    if (fromReplica) this.#route(request);
    else hold(this.#homeless, request);
  }

  #redirected(request: ObjectRequest, redirect: Redirect): void {
    const { poolId, key, namespace, name } = redirect;
    const { dispatch } = request;
    dispatch.redirected = new ObjectTarget(poolId, name || dispatch.place.name, { key, namespace });
    dispatch.flags |= requestFlag.redirected | requestFlag.ignoreOverlay;
    this.#renumber(request);
    this.#route(request);
  }

  #renumber(request: ObjectRequest): void {
    const { dispatch } = request;
    this.#remove(request);
    dispatch.tid = ++this.#lastTid;
    dispatch.attempts = 0;
  }

  #mapChanged(map: OsdMap): void {
    // Maps in between may have moved a PG away and back.
    const skipped = map.epoch !== this.#routing.map.epoch + 1;
    this.#routing.map = map;
    this.#watchdog.behind = false;
    if (map.isBlocklisted(this.#host.messenger.addrs)) {
      this.#end(blocklisted());
      return;
    }
    this.#sessions.leaveDown(map);
    const moved = [...this.#all()].filter((request) => this.#isMoved(request, skipped));
    moved.sort((a, b) => a.dispatch.tid - b.dispatch.tid);
    for (const request of moved) this.#route(request);
    this.#sessions.relocate();
  }

  /** Whether the new map requires a request to be resent; if so, removes it from its list. */
  #isMoved(request: ObjectRequest, skipped: boolean): boolean {
    const { holder } = request.dispatch;
    if (holder === this.#queue || holder === this.#doomed) return false;
    const moves = skipped || holder === this.#homeless || this.#routing.moves(request);
    if (moves) this.#remove(request);
    return moves;
  }

  /** A pool id up to the map's highest one belonged to a removed pool; a higher one may be a new pool's. */
  #withoutPool(request: ObjectRequest): void {
    const { poolId } = request.target;
    if (poolId <= this.#routing.map.state.poolMax || request.dispatch.attempts > 0)
      this.#doom(request, -errno.noEntry);
    else this.#askForMap();
  }

  /** Checks that the map is the monitors' current one. */
  #askForMap(): void {
    if (this.#asksForMap) return;
    this.#asksForMap = true;
    this.#host.latestOsdMap().then(
      () => {
        this.#asksForMap = false;
        for (const request of this.#homeless.values()) {
          if (this.#routing.map.pool(request.target.poolId) === undefined)
            this.#doom(request, -errno.noEntry);
        }
      },
      () => {
        // No monitor answered; the watchdog tries again.
        this.#asksForMap = false;
      },
    );
  }

  /** Resends requests that an OSD could not answer yet. */
  #retry(): void {
    for (const request of [...this.#homeless.values()]) {
      if (request.dispatch.osd < 0) continue;
      this.#remove(request);
      this.#route(request);
    }
  }

  #doom(request: ObjectRequest, result: number, error?: RadosError): void {
    request.result = result;
    request.error = error;
    if (request.dispatch.holder !== undefined) this.#remove(request);
    hold(this.#doomed, request);
    if (this.#doomed.size > 1) return;
    queueMicrotask(() => {
      for (const each of this.#doomed.values()) this.#finish(each, each.result, each.error);
    });
  }

  #finish(request: ObjectRequest, result: number, error: RadosError | undefined): void {
    const { dispatch } = request;
    this.#remove(request);
    if (dispatch.counted) {
      dispatch.counted = false;
      this.#inFlight.leave(dispatch.cost);
    }
    if (this.#queue.size > 0 && this.#ended === undefined) this.#admit();
    request.result = result;
    request.error = error;
    try {
      request.completed();
    } catch (thrown) {
      throwUnowned(thrown);
    }
  }

  /** Sends queued requests in order, as far as the limits allow. */
  #admit(): void {
    for (const next of this.#queue.values()) {
      if (!this.#inFlight.admits(next.dispatch.cost)) return;
      this.#remove(next);
      this.#start(next);
    }
  }

  #remove({ dispatch }: ObjectRequest): void {
    dispatch.holder!.delete(dispatch.tid);
    dispatch.holder = undefined;
    if (!dispatch.sent) return;
    dispatch.sent = false;
    this.#host.messenger.inFlight--;
  }

  *#all(): Generator<ObjectRequest> {
    for (const { requests } of this.#sessions.values()) yield* requests.values();
    for (const requests of [this.#homeless, this.#queue, this.#doomed]) yield* requests.values();
  }

  #end(error: RadosError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#watch[Symbol.dispose]();
    this.#watchdog.stop();
    const all = [...this.#all()].sort((a, b) => a.dispatch.tid - b.dispatch.tid);
    this.#sessions.close();
    for (const request of all) {
      if (request.dispatch.holder !== undefined) this.#finish(request, -errno.shutdown, error);
    }
  }
}
