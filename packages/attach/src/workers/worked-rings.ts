import { AttachError } from "../errors.ts";
import { IoMetrics } from "../server/io-metrics.ts";
import { Backend } from "../vhost/backend.ts";
import { closeQuietly } from "../vhost/native/event.ts";
import { duplicate } from "../vhost/native/socket.ts";
import type { Message } from "../vhost/protocol/channel.ts";
import type { RequestName } from "../vhost/protocol/codes.ts";
import type { SessionOptions } from "../vhost/session-setup.ts";
import { type Answer, type RingServer, type SessionSetup, UnevenError } from "../vhost/session-setup.ts";
import { Setup } from "../vhost/setup.ts";
import type { FromRings, RingCall, ToPart } from "./messages.ts";

/**
 * The rings of a vhost-user front-end, served by an image's workers: ring i by worker i mod N. A message goes to the worker of its ring, or to
 * all workers where it concerns them all, and is answered when they have answered. A worker carries it out between two turns of its rings, so
 * no ring sees half of a change; and the front-end counts on a change only when it has the answer.
 */
export class WorkedRings implements RingServer {
  readonly metrics = new IoMetrics();
  readonly #count: number;
  readonly #tell: (index: number, message: ToPart) => void;
  readonly #waiting = new Map<number, PromiseWithResolvers<Uint8Array | undefined>>();
  #last = 0;
  #report: SessionOptions["report"] = () => {};
  #ended: Error | undefined;

  constructor(count: number, tell: (index: number, message: ToPart) => void) {
    this.#count = count;
    this.#tell = tell;
  }

  begin(options: SessionOptions): SessionSetup {
    this.#report = options.report;
    return new WorkedSetup(options, this.#count, (index, call) => this.#call(index, call));
  }

  told(message: FromRings): void {
    if (message.type === "fault") this.#report(message);
    else if (message.type === "orphansGone") {
      for (let index = 0; index < this.#count; index++) this.#tell(index, { type: "goOn" });
    } else {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.refused === undefined) waiting?.resolve(message.payload);
      else waiting?.reject(new AttachError("SIPHON_ATTACH_PROTOCOL", message.refused));
    }
  }

  /** The workers are gone. */
  end(error: Error): void {
    this.#ended = error;
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }

  #call(index: number, call: RingCall): Promise<Uint8Array | undefined> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = ++this.#last;
    const answer = Promise.withResolvers<Uint8Array | undefined>();
    this.#waiting.set(id, answer);
    this.#tell(index, { type: "rings", id, call });
    return answer.promise;
  }
}

type Caller = (index: number, call: RingCall) => Promise<Uint8Array | undefined>;

/** Passes a front-end's messages on to workers. Features and the configuration are known here as well. */
class WorkedSetup implements SessionSetup {
  readonly #known: Setup;
  readonly #device: SessionOptions["device"];
  readonly #count: number;
  readonly #call: Caller;

  constructor(options: SessionOptions, count: number, call: Caller) {
    // Its rings never run.
    this.#known = new Setup(new Backend(options), options.blockSize);
    this.#device = options.device;
    this.#count = count;
    this.#call = call;
    const { serial, queues, blockSize } = options;
    this.#all(() => ({ does: "begin", device: { serial, queues, blockSize } })).catch(ignored);
  }

  get acknowledges(): boolean {
    return this.#known.acknowledges;
  }

  handle(name: RequestName | undefined, message: Message, patience: () => number): Answer | Promise<Answer> {
    switch (name) {
      case "setFeatures":
      case "setProtocolFeatures":
        void this.#known.handle(name, message, patience);
        return this.#passToAll(name, message, 0);
      case "setMemTable":
      case "addMemReg":
      case "remMemReg":
      case "setInflightFd":
      case "setLogBase":
      case "setLogFd":
        return this.#passToAll(name, message, 0);
      case "resetDevice":
        return this.#passToAll(name, message, patience());
      case "setVringNum":
      case "setVringBase":
      case "setVringEnable":
      case "setVringAddr":
      case "setVringKick":
      case "setVringCall":
      case "setVringErr":
        return this.#passOn(name, message, 0);
      case "getVringBase":
        return this.#passOn(name, message, patience());
      default:
        return this.#known.handle(name, message, patience);
    }
  }

  async finish(): Promise<void> {
    await this.#all(() => ({ does: "finish" }));
  }

  async leave(): Promise<void> {
    // A worker that is gone has let go.
    await Promise.all([this.#known.leave(), this.#all(() => ({ does: "leave" })).catch(ignored)]);
  }

  /** The workers were told of the size before, and may not have heard of it yet. */
  onResize(listener: () => void): Disposable {
    return this.#device.onResize(() => {
      void this.#all(() => ({ does: "nothing" })).then(listener, ignored);
    });
  }

  /** To the worker of the ring that the message names; every one of these begins with the ring's number. */
  async #passOn(name: RequestName, message: Message, patience: number): Promise<Answer> {
    const index = (message.payload[0] ?? 0) % this.#count;
    const fds = message.fds.splice(0);
    return bufferOf(
      await this.#call(index, { does: "handle", name, message: { ...message, fds }, patience }),
    );
  }

  /** Each worker gets descriptors of its own. */
  #passToAll(name: RequestName, message: Message, patience: number): Promise<Answer> {
    const copies: number[][] = [];
    try {
      for (let index = 0; index < this.#count; index++) {
        const fds: number[] = [];
        copies.push(fds);
        for (const fd of message.fds) fds.push(duplicate(fd));
      }
    } catch (error) {
      for (const fd of copies.flat()) closeQuietly(fd);
      throw error;
    }
    return this.#all((index) => {
      return { does: "handle", name, message: { ...message, fds: copies[index]! }, patience };
    });
  }

  async #all(callOf: (index: number) => RingCall): Promise<Answer> {
    const calls = Array.from({ length: this.#count }, (_, index) => this.#call(index, callOf(index)));
    const outcomes = await Promise.allSettled(calls);
    const refused = outcomes.find(({ status }) => status === "rejected");
    if (refused === undefined) return bufferOf(await calls[0]!);
    const { reason } = refused as PromiseRejectedResult;
    if (outcomes.every(({ status }) => status === "rejected")) throw reason;
    const { code, message } = reason as AttachError;
    throw new UnevenError(code, `a part of the workers refused: ${message}`, { cause: reason });
  }
}

function bufferOf(payload: Uint8Array | undefined): Buffer | undefined {
  return payload && Buffer.from(payload);
}

/** What ends workers is reported elsewhere. */
const ignored = (): void => {};
