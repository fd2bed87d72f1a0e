import { formatPgId } from "../osdmap/pg.ts";
import { opCode } from "./op-code.ts";
import type { ObjectRequest } from "./request.ts";

/** An unanswered request, for diagnosis. */
export interface RequestInFlight {
  tid: number;
  object: string;
  namespace: string;
  /** `1.6`. */
  pg: string;
  /** Its OSD; -1: no OSD serves the PG. */
  osd: number;
  /** Milliseconds since it was submitted. */
  age: number;
  /** Number of attempts. */
  attempts: number;
  /** `queued`: by the limits; `paused`: by the OSD map; `waiting`: for an OSD or a connection. */
  state: "queued" | "paused" | "waiting" | "sent";
  /** `read`, `writeFull`, ... */
  ops: string[];
}

export function describeRequest(request: ObjectRequest, now: number): RequestInFlight {
  const { dispatch, target, ops } = request;
  const { tid, attempts, osd, paused, sent } = dispatch;
  return {
    tid,
    object: target.name,
    namespace: target.namespace,
    pg: formatPgId({ pool: target.poolId, seed: dispatch.pgSeed }),
    osd,
    age: now - dispatch.submittedAt,
    attempts,
    state: dispatch.epoch === 0 ? "queued" : paused ? "paused" : sent ? "sent" : "waiting",
    ops: Array.from({ length: ops.count }, (_, op) => opName(ops.code(op))),
  };
}

/** The name of an operation code; hexadecimal for unknown ones. */
export function opName(code: number): string {
  return names.get(code) ?? `0x${code.toString(16)}`;
}

const names = new Map(Object.entries(opCode).map(([name, code]): [number, string] => [code, name]));
