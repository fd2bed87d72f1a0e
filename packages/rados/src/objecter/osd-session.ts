import { errno, WireError } from "@siphon/wire";
import { RadosError } from "../errors.ts";
import { backoffBlock, backoffUnblock, osdBackoffAck, readOsdBackoff } from "../messages/osd-backoff.ts";
import { type OsdMapMessage, readOsdMapMessage } from "../messages/osd-map.ts";
import { type ClientId, sendOsdOp } from "../messages/osd-op.ts";
import { OsdOpReply, type Redirect } from "../messages/osd-op-reply.ts";
import { messageType } from "../messages/types.ts";
import { readWatchNotify, type WatchNotify } from "../messages/watch-notify.ts";
import type { Connection } from "../messenger/connection.ts";
import type { Link, LinkHandler } from "../messenger/link.ts";
import type { DataSink, IncomingMessage } from "../messenger/message.ts";
import type { Messenger } from "../messenger/messenger.ts";
import { throwUnowned } from "../unowned.ts";
import { Backoffs, covers } from "./backoffs.ts";
import { opCode } from "./op-code.ts";
import type { OpList } from "./op-list.ts";
import type { ObjectRequest } from "./request.ts";
import { hold, RequestTable } from "./requests.ts";

/** Results of the requests of a session. */
export interface SessionEvents {
  /** There is a connection: address and send all requests of the session. */
  ready(session: OsdSession): void;
  lost(session: OsdSession): void;
  finished(request: ObjectRequest, result: number, error?: RadosError): void;
  /** This OSD cannot answer the request, at least not now. */
  again(request: ObjectRequest): void;
  redirected(request: ObjectRequest, redirect: Redirect): void;
  watchNotify(session: OsdSession, event: WatchNotify): void;
  osdmap(message: OsdMapMessage): void;
  /** The OSD has a map of this epoch. */
  epoch(epoch: number): void;
}

/** The requests at one OSD, and its connection. */
export class OsdSession implements LinkHandler {
  readonly osd: number;
  readonly requests = new RequestTable();
  readonly link: Link;
  /** Number of received messages, over all connections. */
  heard = 0;
  readonly #messenger: Messenger;
  readonly #client: ClientId;
  readonly #events: SessionEvents;
  readonly #backoffs = new Backoffs();
  readonly #reply = new OsdOpReply();
  /** Requests that wait, in order, until the network accepts more. */
  #stalled = false;
  /** The read whose data is arriving in portions, and the bytes received. */
  #streaming: ObjectRequest | undefined;
  #streamingTid = 0;
  #streamed = 0;

  constructor(
    osd: number,
    messenger: Messenger,
    client: ClientId,
    connect: (handler: LinkHandler) => Link,
    events: SessionEvents,
  ) {
    this.osd = osd;
    this.#messenger = messenger;
    this.#client = client;
    this.#events = events;
    this.link = connect(this);
  }

  /** Takes a request for this OSD, and sends it if possible. */
  take(request: ObjectRequest): void {
    hold(this.requests, request);
    this.send(request);
  }

  /** Sends a held request, or resends one. */
  send(request: ObjectRequest): void {
    const { dispatch } = request;
    const connection = this.link.connection;
    if (connection === undefined || dispatch.paused || this.#backoffs.hold(dispatch.place)) return;
    if (this.#stalled || connection.bytesQueued >= mostQueued) {
      this.#stalled = true;
      this.#unsend(request);
      return;
    }
    try {
      sendOsdOp(connection, request, this.#client);
    } catch (error) {
      // The message is incomplete: it must not reach the OSD.
      const { tid } = dispatch;
      this.link.reset(ownerThrew(request, error));
      queueMicrotask(() => {
        if (this.requests.get(tid) === request) this.#ownerFailed(request, error);
      });
      return;
    }
    dispatch.attempts++;
    if (dispatch.sent) return;
    dispatch.sent = true;
    this.#messenger.inFlight++;
  }

  /** The network has accepted the bytes: there is room for more. */
  drained(connection: Connection): void {
    if (!this.#stalled || connection.bytesQueued > mostQueued / 2) return;
    this.#stalled = false;
    for (const request of this.requests.values()) {
      if (!request.dispatch.sent) this.send(request);
      if (this.#stalled) return;
    }
  }

  close(): void {
    this.link.close();
    this.#forgetSent();
  }

  ready(): void {
    this.#events.ready(this);
  }

  lost(): void {
    this.#forgetSent();
    this.#events.lost(this);
  }

  message(connection: Connection, message: IncomingMessage): void {
    this.heard++;
    switch (message.type) {
      case messageType.osdOpReply:
        this.#answered(message);
        return;
      case messageType.osdMap:
        this.#events.osdmap(readOsdMapMessage(message.readFront("MOSDMap")));
        return;
      case messageType.osdBackoff:
        this.#backOff(connection, message);
        return;
      case messageType.watchNotify:
        this.#events.watchNotify(this, readWatchNotify(message));
        return;
      default:
        // OSDs may send unknown messages.
        return;
    }
  }

  largeMessage(_: Connection, message: IncomingMessage): DataSink | undefined {
    if (message.type !== messageType.osdOpReply) return undefined;
    const request = this.requests.get(message.tid);
    if (request?.ops.count !== 1 || request.ops.code(0) !== opCode.read) return undefined;
    try {
      checkReadLength(request.ops, 0, message.dataLength);
    } catch (error) {
      throw this.#endedBy(request, error);
    }
    this.#streaming = request;
    this.#streamingTid = message.tid;
    this.#streamed = 0;
    try {
      request.output(0, 0, message.dataLength);
    } catch (error) {
      this.#ownerFailed(request, error);
    }
    return this.#sink;
  }

  readonly #sink: DataSink = (bytes, start, end) => {
    const request = this.#streaming!;
    // It may have been cancelled meanwhile, and submitted again by its owner.
    if (this.requests.get(this.#streamingTid) !== request) return;
    try {
      request.take(0, bytes, start, end, this.#streamed);
    } catch (error) {
      this.#ownerFailed(request, error);
    }
    this.#streamed += end - start;
  };

  #forgetSent(): void {
    this.#backoffs.clear();
    this.#streaming = undefined;
    this.#stalled = false;
    for (const request of this.requests.values()) this.#unsend(request);
  }

  #unsend({ dispatch }: ObjectRequest): void {
    if (!dispatch.sent) return;
    dispatch.sent = false;
    this.#messenger.inFlight--;
  }

  #answered(message: IncomingMessage): void {
    const request = this.requests.get(message.tid);
    this.#streaming = undefined;
    // Cancelled meanwhile, or answered before it was resent.
    if (request === undefined) return;
    const reply = this.#reply;
    let redirect: Redirect | undefined;
    try {
      reply.read(message);
      redirect = reply.redirect;
      if (redirect === undefined) checkOutputs(request, reply);
    } catch (error) {
      throw this.#endedBy(request, error);
    }
    const { attempt, result, epoch } = reply;
    if (attempt >= 0 && attempt !== request.dispatch.attempts - 1) return;
    this.#events.epoch(epoch);
    if (redirect !== undefined) {
      this.#events.redirected(request, redirect);
      return;
    }
    if (result === -errno.EAGAIN) {
      this.#events.again(request);
      return;
    }
    if (!message.streamed) this.#handOver(request, message, reply);
    // Its owner may have cancelled it because of the data.
    if (this.requests.get(message.tid) !== request) return;
    request.version = reply.version;
    this.#events.finished(request, result);
  }

  #handOver(request: ObjectRequest, message: IncomingMessage, reply: OsdOpReply): void {
    let at = message.data;
    try {
      for (let op = 0; op < reply.count; op++) {
        const length = reply.outputLength(op);
        request.output(op, reply.opResult(op), length);
        if (length > 0) request.take(op, message.region.bytes, at, at + length, 0);
        at += length;
      }
    } catch (error) {
      this.#ownerFailed(request, error);
    }
  }

  /** An error thrown by a request's owner fails the request, but not the connection. */
  #ownerFailed(request: ObjectRequest, error: unknown): void {
    throwUnowned(error);
    if (request.dispatch.holder === undefined) return;
    this.#events.finished(request, -errno.EIO, ownerThrew(request, error));
  }

  /** A resent request would get the same invalid answer: the request fails, and the error ends the connection. */
  #endedBy(request: ObjectRequest, error: unknown): unknown {
    if (error instanceof WireError) this.#events.finished(request, -errno.EIO, badReply(request, error));
    return error;
  }

  #backOff(connection: Connection, message: IncomingMessage): void {
    const backoff = readOsdBackoff(message);
    if (backoff.op === backoffBlock) {
      this.#backoffs.add(backoff);
      connection.send(osdBackoffAck(backoff));
    } else if (backoff.op === backoffUnblock) {
      this.#backoffs.remove(backoff);
      for (const request of this.requests.values()) {
        if (covers(backoff, request.dispatch.place)) this.send(request);
      }
    }
  }
}

function checkOutputs({ ops }: ObjectRequest, reply: OsdOpReply): void {
  // The reply of a request that failed as a whole may have no operations.
  if (reply.count !== ops.count && !(reply.count === 0 && reply.result < 0)) {
    throw new WireError("SIPHON_WIRE_MALFORMED", `${reply.count} results for ${ops.count} operations`);
  }
  for (let op = 0; op < reply.count; op++) {
    if (ops.code(op) === opCode.read) checkReadLength(ops, op, reply.outputLength(op));
  }
}

function checkReadLength(ops: OpList, op: number, length: number): void {
  const asked = ops.extentLength(op);
  // 0 means up to the end.
  if (length <= asked || asked === 0) return;
  const reason = `${length} bytes for a read of ${asked}`;
  throw new WireError("SIPHON_WIRE_MALFORMED", reason);
}

function badReply({ target }: ObjectRequest, cause: WireError): RadosError {
  const reason = `invalid reply for ${target.name}: ${cause.message}`;
  return new RadosError("SIPHON_RADOS_PROTOCOL", reason, { cause });
}

function ownerThrew({ target }: ObjectRequest, cause: unknown): RadosError {
  const reason = `the callback of a request to ${target.name} threw: ${cause instanceof Error ? cause.message : cause}`;
  return new RadosError("EIO", reason, { cause });
}

/** Maximum of unsent bytes: more would only use memory, and leave the CPU's cache before they are sent. */
const mostQueued = 8 << 20;
