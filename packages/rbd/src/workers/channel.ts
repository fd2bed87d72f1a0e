import type { MessagePort } from "node:worker_threads";
import { throwUnowned } from "@siphon/rados/engine";
import { errorOf, type PlainError, plainError } from "./plain-error.ts";

type Packet =
  | { readonly kind: "tell"; readonly body: unknown }
  | { readonly kind: "call"; readonly id: number; readonly body: unknown }
  | { readonly kind: "reply"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly error: PlainError };

/**
 * Ordered messages between two threads. A message is a notice, or a call that the other thread answers after carrying
 * it out. Messages of one event-loop turn are sent together.
 *
 * Answers settle Promises, so later messages of the same packet are handled before the waiting caller continues.
 */
export class Channel<In, Out> {
  readonly #port: MessagePort;
  readonly #handle: (message: In) => unknown;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #outbox: Packet[] = [];
  #last = 0;
  #ended: Error | undefined;

  /** @param handle carries out a message; its result, or a Promise of it, is the answer to a call */
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

  /** @returns the other thread's answer; rejects with its error, or when the channel has ended */
  call(body: Out): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const answer = Promise.withResolvers<unknown>();
    const id = ++this.#last;
    this.#waiting.set(id, answer);
    this.#send({ kind: "call", id, body });
    return answer.promise;
  }

  /** The other thread is gone, or is ignored from now on. */
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

  /** The packet, or a replacement if it cannot be cloned, so that the other packets are still sent. */
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

  /** An error of a listener must not prevent later packets from being handled. */
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
    // A synchronous call is answered before this thread's next message.
    if (value instanceof Promise) value.then(reply, fail);
    else reply(value);
  }
}
