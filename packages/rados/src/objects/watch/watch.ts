import { setTimeout as sleep } from "node:timers/promises";
import { RadosError } from "../../errors.ts";
import type { WatchNotify } from "../../messages/watch-notify.ts";
import { requestFlag } from "../../objecter/op-code.ts";
import type { ObjectTarget } from "../../objecter/target.ts";
import { throwUnowned } from "../../unowned.ts";
import type { Op } from "../op.ts";
import { OperationRequest } from "../operation-request.ts";
import type { Linger, Lingers } from "./lingers.ts";
import { acknowledge, watch } from "./operations.ts";

/** A notification received by a watcher. */
export interface Notification {
  notifyId: bigint;
  /** Cookie of the watch, as in `Watch.cookie`. */
  cookie: bigint;
  /** The client that notifies; its `globalId`. */
  notifierId: bigint;
  payload: Buffer;
  /** Acknowledges the notification, with a reply. The notifier counts watchers that do not acknowledge as missed. */
  acknowledge(reply?: Uint8Array): Promise<void>;
}

export interface WatchEvents {
  /**
   * After a reconnect, unacknowledged notifications repeat. Notifications that arrive before the OSD has confirmed the
   * watch are delivered after `open` has returned.
   */
  notified(notification: Notification): void;
  /** The watch has ended: notifications since the last `check` may have been missed. */
  lost(error: RadosError): void;
}

export interface WatchOptions {
  /** Milliseconds without a ping after which the OSD drops the watch; default osd_client_watch_timeout, 30 s. */
  timeout?: number;
  signal?: AbortSignal;
}

/**
 * A watch on an object, as librados' watch3: registered again whenever the connection is lost or the PG moves, confirmed
 * every five seconds.
 */
export class Watch implements AsyncDisposable {
  readonly #target: ObjectTarget;
  /** Identifies the watch in `listWatchers`, together with the client's global id. */
  readonly cookie: bigint;
  readonly #lingers: Lingers;
  readonly #events: WatchEvents;
  readonly #objectText: string;
  readonly #timeoutSeconds: number;
  readonly #opened = Promise.withResolvers<void>();
  /** Aborts the registration in flight. */
  #registering: AbortController | undefined;
  #pinging = false;
  #registered = false;
  /** Notifications held back until `open` has returned. */
  #early: Notification[] | undefined = [];
  #generation = 0;
  #validThru = performance.now();
  #error: RadosError | undefined;
  #closed = false;

  private constructor(
    lingers: Lingers,
    target: ObjectTarget,
    text: string,
    events: WatchEvents,
    timeout: number,
  ) {
    this.#lingers = lingers;
    this.#target = target;
    this.#objectText = text;
    this.#events = events;
    this.#timeoutSeconds = Math.ceil(timeout / 1000);
    this.cookie = lingers.nextCookie();
  }

  /**
   * @internal
   * @param objectText for errors: "object o of pool p"
   */
  static async open(
    lingers: Lingers,
    target: ObjectTarget,
    objectText: string,
    events: WatchEvents,
    { timeout = 0, signal }: WatchOptions = {},
  ): Promise<Watch> {
    signal?.throwIfAborted();
    const opened = new Watch(lingers, target, objectText, events, timeout);
    const abort = () => opened.#opened.reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      lingers.add(opened.cookie, opened.#asLinger());
      await opened.#opened.promise;
      return opened;
    } catch (error) {
      opened.#abandon();
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /**
   * Milliseconds since the request of the last confirmation, during which the watch is uncertain.
   *
   * @throws the error with which it was lost
   */
  check(): number {
    if (this.#error !== undefined) throw this.#error;
    return performance.now() - this.#validThru;
  }

  /** Ends the watch; a notification in flight may still be delivered. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#stop();
    if (this.#error === undefined) await this.#unwatch();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Drops the watch without waiting for an OSD that may be gone. */
  #abandon(): void {
    this.#stop();
    if (this.#error === undefined) void this.#forget();
  }

  #stop(): void {
    this.#closed = true;
    this.#registering?.abort();
    this.#lingers.remove(this.cookie);
  }

  #asLinger(): Linger {
    return {
      target: this.#target,
      register: () => this.#register(),
      ping: () => this.#ping(),
      take: (message) => this.#take(message),
      end: (error) => this.#end(error),
    };
  }

  #register(): void {
    if (this.#closed || this.#error !== undefined) return;
    this.#registering?.abort();
    const attempt = new AbortController();
    this.#registering = attempt;
    const op = this.#registered
      ? watch("reconnect", this.cookie, ++this.#generation, this.#timeoutSeconds)
      : watch("watch", this.cookie, 0, this.#timeoutSeconds);
    const sentAt = performance.now();
    this.#send(op, requestFlag.write, "watch", attempt.signal).then(
      () => {
        if (this.#registering !== attempt) return;
        this.#registering = undefined;
        this.#registered = true;
        this.#validThru = sentAt;
        this.#opened.resolve();
        if (this.#early !== undefined) setImmediate(() => this.#tellEarly());
      },
      (error) => {
        if (this.#registering === attempt) this.#end(error);
      },
    );
  }

  #ping(): void {
    if (this.#pinging || !this.#registered || this.#registering !== undefined) return;
    this.#pinging = true;
    const generation = this.#generation;
    const sentAt = performance.now();
    this.#send(watch("ping", this.cookie, generation), requestFlag.read, "watch").then(
      () => {
        this.#pinging = false;
        if (generation === this.#generation) this.#validThru = sentAt;
      },
      (error: RadosError) => {
        this.#pinging = false;
        if (generation !== this.#generation || this.#registering !== undefined) return;
        // It exists, but belongs to a lost connection.
        if (error.code === "ETIMEDOUT") this.#register();
        else this.#end(error);
      },
    );
  }

  #take({ event, notifyId, notifier, payload }: WatchNotify): void {
    if (event === "disconnected") {
      this.#end(new RadosError("ENOTCONN", `the OSD ended the watch on ${this.#objectText} (ENOTCONN)`));
    } else if (event === "notify") {
      const acknowledged = (reply: Uint8Array = new Uint8Array()) =>
        this.#send(
          acknowledge(notifyId, this.cookie, reply),
          requestFlag.read,
          "acknowledge a notification of",
        );
      const { cookie } = this;
      const told = { notifyId, cookie, notifierId: notifier, acknowledge: acknowledged };
      if (this.#early === undefined) this.#tell(() => this.#events.notified({ ...told, payload }));
      else this.#early.push({ ...told, payload: Buffer.from(payload) });
    }
  }

  #tellEarly(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    if (this.#closed) return;
    for (const notification of early) this.#tell(() => this.#events.notified(notification));
  }

  #end(error: RadosError): void {
    if (this.#error !== undefined || this.#closed) return;
    this.#error = lostError(error, this.#objectText);
    this.#registering = undefined;
    this.#lingers.remove(this.cookie);
    if (!gone.has(error.code)) void this.#forget();
    const lost = this.#error;
    if (this.#registered) this.#tell(() => this.#events.lost(lost));
    else this.#opened.reject(error);
  }

  async #unwatch(): Promise<void> {
    try {
      await this.#send(watch("unwatch", this.cookie), requestFlag.write, "end the watch on");
    } catch (error) {
      // A watch that no longer exists need not be removed, and a client on the blocklist cannot remove it.
      if (!(error instanceof RadosError && gone.has(error.code))) throw error;
    }
  }

  /**
   * Removes an abandoned watch, whose registration the OSD may have executed without answering in time: until it
   * expires, notifiers would wait for it, and the object could not be removed.
   */
  async #forget(): Promise<void> {
    for (let tries = 0; tries < 10; tries++) {
      try {
        return await this.#unwatch();
      } catch {
        await sleep(1000, undefined, { ref: false });
      }
    }
  }

  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      throwUnowned(error);
    }
  }

  async #send(op: Op<void>, flags: number, verb: string, signal?: AbortSignal): Promise<void> {
    const request = new OperationRequest(this.#target, [op], flags);
    await request.perform(this.#lingers.objecter, () => `cannot ${verb} ${this.#objectText}`, signal);
  }
}

const gone: ReadonlySet<string> = new Set(["ENOENT", "ENOTCONN", "ESHUTDOWN", "SIPHON_RADOS_CLOSED"]);

/** A removed object and a lost watch look the same to the watcher. */
function lostError(error: RadosError, objectText: string): RadosError {
  if (error.code !== "ENOENT") return error;
  const message = `the watch on ${objectText} ended, because the object was removed (ENOTCONN)`;
  return new RadosError("ENOTCONN", message, { cause: error });
}
