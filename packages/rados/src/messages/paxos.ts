import type { Reader, Writer } from "@siphon/wire";

/**
 * The beginning of a message to or from a service of the monitors (src/messages/PaxosServiceMessage.h); unused by
 * clients: u64 version, i16 monitor of the session (-1), u64 transaction there.
 */
export function writePaxos(w: Writer): Writer {
  return w.u64(0).u16(0xffff).u64(0);
}

export function skipPaxos(r: Reader): void {
  r.skip(8 + 2 + 8);
}
