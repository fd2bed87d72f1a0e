import type { Reader } from "@siphon/wire";
import type { OutgoingMessage } from "../messenger/message.ts";
import { messageType } from "./types.ts";

/** MPing (src/messages/MPing.h): nothing. */
export function pingMessage(): OutgoingMessage {
  return { type: messageType.ping, front: Buffer.alloc(0) };
}

/** A monitor's answer: string, JSON. */
export function readPingReply(r: Reader): string {
  return r.string();
}
