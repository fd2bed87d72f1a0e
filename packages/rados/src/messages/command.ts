import { type Reader, Writer, writeUuid } from "@siphon/wire";
import type { OutgoingMessage } from "../messenger/message.ts";
import type { CommandReply } from "./mon-command.ts";
import type { messageType } from "./types.ts";

/**
 * MCommand (src/messages/MCommand.h), for the daemon itself: fsid, list of strings (one, JSON); data: the
 * input. MMgrCommand (src/messages/MMgrCommand.h), for the modules of the manager, is the same.
 */
export function commandMessage(
  type: typeof messageType.command | typeof messageType.mgrCommand,
  tid: number,
  fsid: string,
  command: string,
  input: Uint8Array | undefined,
): OutgoingMessage {
  const w = new Writer();
  writeUuid(w, fsid);
  return { type, tid, front: w.u32(1).string(command).finish(), ...(input && { data: input }) };
}

/** MCommandReply and MMgrCommandReply: i32 result, string status; data: the output. */
export function readCommandReply(r: Reader): CommandReply {
  return { result: r.i32(), status: r.string() };
}
