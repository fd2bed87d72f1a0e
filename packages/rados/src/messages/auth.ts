import { type Reader, Writer } from "@siphon/wire";
import type { OutgoingMessage } from "../messenger/message.ts";
import { writePaxos } from "./paxos.ts";
import { messageType } from "./types.ts";

/** MAuth (src/messages/MAuth.h): paxos header, u32 auth method (0 to begin), blob, u32 epoch of the monmap. */
export function authMessage(method: number, payload: Uint8Array): OutgoingMessage {
  const front = writePaxos(new Writer()).u32(method).blob(payload).u32(0).finish();
  return { type: messageType.auth, front };
}

/** MAuthReply (src/messages/MAuthReply.h): u32 method, i32 result, u64 global id, blob, string. */
export interface AuthReply {
  method: number;
  result: number;
  globalId: bigint;
  payload: Buffer;
}

export function readAuthReply(r: Reader): AuthReply {
  return { method: r.u32(), result: r.i32(), globalId: r.u64(), payload: r.blob() };
}
