import { type Reader, Writer, writeUuid } from "@siphon/wire";
import type { OutgoingMessage } from "../messenger/message.ts";
import { skipPaxos, writePaxos } from "./paxos.ts";
import { messageType } from "./types.ts";

/** MMonCommand (src/messages/MMonCommand.h): paxos header, fsid, list of strings (one, JSON); data: the input. */
export function monCommandMessage(
  tid: number,
  fsid: string,
  command: string,
  input: Uint8Array | undefined,
): OutgoingMessage {
  const w = writePaxos(new Writer());
  writeUuid(w, fsid);
  const front = w.u32(1).string(command).finish();
  return { type: messageType.monCommand, tid, front, ...(input && { data: input }) };
}

export interface CommandReply {
  /** 0 or more, or a negative errno. */
  result: number;
  /** The daemon's message for people. */
  status: string;
}

/** MMonCommandAck (src/messages/MMonCommandAck.h): paxos header, i32 result, string status, command; data: the output. */
export function readMonCommandAck(r: Reader): CommandReply {
  skipPaxos(r);
  return { result: r.i32(), status: r.string() };
}
