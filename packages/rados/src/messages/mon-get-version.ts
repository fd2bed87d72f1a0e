import { type Reader, Writer } from "@siphon/wire";
import type { OutgoingMessage } from "../messenger/message.ts";
import { messageType } from "./types.ts";

/** MMonGetVersion (src/messages/MMonGetVersion.h): u64 handle, string what ("osdmap"). */
export function monGetVersionMessage(handle: number, what: string): OutgoingMessage {
  return {
    type: messageType.monGetVersion,
    tid: handle,
    front: new Writer().u64(handle).string(what).finish(),
  };
}

/** MMonGetVersionReply (src/messages/MMonGetVersionReply.h): u64 handle, u64 newest, u64 oldest. */
export interface MonGetVersionReply {
  handle: number;
  newest: number;
}

export function readMonGetVersionReply(r: Reader): MonGetVersionReply {
  return { handle: r.u64Number(), newest: r.u64Number() };
}
