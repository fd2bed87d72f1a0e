import type { MessagePort } from "node:worker_threads";
import { throwUnowned } from "@siphon/rados/engine";
import { errorOf, type PlainError, plainError } from "./plain-error.ts";

type Packet =
  | { readonly kind: "tell"; readonly body: unknown }
  | { readonly kind: "call"; readonly id: number; readonly body: unknown }
  | { readonly kind: "reply"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly error: PlainError };

/**
 * Messages between two threads, in the order in which they are sent. A message is a notice, or a call that the other thread answers when
 * it has carried it out. The messages of one turn of the event loop travel together.
 *
 * Answers settle Promises: what follows in the same packet is handled before whoever waits for the answer goes on.
 */
export class Channel<In, Out> {
  readonly #port: MessagePort;
  readonly #handle: (message: In) => unknown;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #outbox: Packet[] = [];
  #last = 0;
  #ended: Error | undefined;

  /** @param handle carries out a message; what it returns, or a Promise of it, is the answer to a call */
  constructor(port: MessagePort, handle: (message: In) => unknown) {
    this.#port = port;
    this.#handle = handle;
    port.on("message", (packets: Packet[]) => {
      for (const packet of packets) this.#take(packet);
    });
  }

  tell(body: Out): void {
    this.#send({ kind: "tell", body });
  }

  /** @returns what the other thread answers; rejects with its error, or once the channel has ended */
  call(body: Out): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const answer = Promise.withResolvers<unknown>();
    const id = ++this.#last;
    this.#waiting.set(id, answer);
    this.#send({ kind: "call", id, body });
    return answer.promise;
  }

  /** The other thread is gone, or is not listened to any more. */
  end(error: Error): void {
    this.#ended ??= error;
    for (const answer of this.#waiting.values()) answer.reject(error);
    this.#waiting.clear();
  }

  #send(packet: Packet): void {
    if (this.#ended === undefined && this.#outbox.push(packet) === 1) queueMicrotask(this.#flush);
  }

  readonly #flush = () => {
    const packets = this.#outbox;
    this.#outbox = [];
    try {
      this.#port.postMessage(packets);
    } catch {
      this.#port.postMessage(packets.flatMap((packet) => this.#sendable(packet)));
    }
  };

  /** The packet, or what replaces it if it cannot be cloned; the packets beside it are sent all the same. */
  #sendable(packet: Packet): Packet[] {
    try {
      structuredClone(packet);
      return [packet];
    } catch (error) {
      if (packet.kind === "reply") return [{ kind: "failure", id: packet.id, error: plainError(error) }];
      if (packet.kind === "call") this.#settle(packet.id)?.reject(error);
      else throwUnowned(error);
      return [];
    }
  }

  #take(packet: Packet): void {
    if (packet.kind === "tell") this.#told(packet.body as In);
    else if (packet.kind === "call") this.#answer(packet.id, packet.body as In);
    else {
      const waiting = this.#settle(packet.id);
      if (packet.kind === "reply") waiting?.resolve(packet.value);
      else waiting?.reject(errorOf(packet.error));
    }
  }

  #settle(id: number): PromiseWithResolvers<unknown> | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  /** A listener that throws must not keep the packets after it from being handled. */
  #told(body: In): void {
    try {
      this.#handle(body);
    } catch (error) {
      throwUnowned(error);
    }
  }

  #answer(id: number, body: In): void {
    const reply = (value: unknown) => this.#send({ kind: "reply", id, value });
    const fail = (error: unknown) => this.#send({ kind: "failure", id, error: plainError(error) });
    let value: unknown;
    try {
      value = this.#handle(body);
    } catch (error) {
      fail(error);
      return;
    }
    // A call that does not wait is answered before this thread's next message.
    if (value instanceof Promise) value.then(reply, fail);
    else reply(value);
  }
}
