import { Writer } from "@siphon/wire";
import type { OutgoingMessage } from "../messenger/message.ts";
import { messageType } from "./types.ts";

export interface Subscription {
  /** The first version wanted; 0 for the latest. */
  start: number;
  /** Only the next version, not all that follow. */
  once: boolean;
}

/** MMonSubscribe (src/messages/MMonSubscribe.h), version 3: map of string to { u64 start, u8 flags }, string host. */
export function monSubscribeMessage(
  wanted: ReadonlyMap<string, Subscription>,
  host: string,
): OutgoingMessage {
  const w = new Writer().map(wanted, (out, what, { start, once }) => {
    out
      .string(what)
      .u64(start)
      .u8(once ? flagOnce : 0);
  });
  return { type: messageType.monSubscribe, version: 3, front: w.string(host).finish() };
}

const flagOnce = 1;
