import { hostname } from "node:os";
import { monSubscribeMessage, type Subscription } from "../messages/mon-subscribe.ts";
import type { OutgoingMessage } from "../messenger/message.ts";

/** Subscriptions to the monitors' maps, with their start versions, which the next session requests again. */
export class Subscriptions {
  readonly #wanted = new Map<string, Subscription>([["monmap", { start: 0, once: false }]]);
  #sending = false;

  add(what: string, start: number, once: boolean): void {
    this.#wanted.set(what, { start, once });
  }

  /** The client has this version: subscribes to the following ones. */
  received(what: string, version: number): void {
    const subscription = this.#wanted.get(what);
    if (subscription === undefined) return;
    if (subscription.once) this.#wanted.delete(what);
    else subscription.start = version + 1;
  }

  /** Sends the subscriptions of this turn in one message. */
  sendSoon(send: (message: OutgoingMessage) => void): void {
    if (this.#sending) return;
    this.#sending = true;
    queueMicrotask(() => {
      this.#sending = false;
      send(this.message());
    });
  }

  message(): OutgoingMessage {
    return monSubscribeMessage(this.#wanted, hostname());
  }
}
