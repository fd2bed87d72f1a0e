import { hostname } from "node:os";
import { monSubscribeMessage, type Subscription } from "../messages/mon-subscribe.ts";
import type { OutgoingMessage } from "../messenger/message.ts";

/** What the monitors are to tell as it changes, and from which version on: the next session asks for the same. */
export class Subscriptions {
  readonly #wanted = new Map<string, Subscription>([["monmap", { start: 0, once: false }]]);

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

  message(): OutgoingMessage {
    return monSubscribeMessage(this.#wanted, hostname());
  }
}
