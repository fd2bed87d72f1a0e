import { hostname } from "node:os";
import { monSubscribeMessage, type Subscription } from "../messages/mon-subscribe.ts";
import type { OutgoingMessage } from "../messenger/message.ts";

/** Subscriptions to maps of the monitors, with the version to start from: the next session asks for the same. */
export class Subscriptions {
  readonly #wanted = new Map<string, Subscription>([["monmap", { start: 0, once: false }]]);
  #sending = false;

  add(what: string, start: number, once: boolean): void {
    this.#wanted.set(what, { start, once });
  }

  /** We have this version: from now on what follows it is wanted. */
  received(what: string, version: number): void {
    const subscription = this.#wanted.get(what);
    if (subscription === undefined) return;
    if (subscription.once) this.#wanted.delete(what);
    else subscription.start = version + 1;
  }

  /** Sends what is wanted by the end of this turn, all in one message. */
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
