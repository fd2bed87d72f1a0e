import { formatPgId } from "../osdmap/pg.ts";
import { opCode } from "./op-code.ts";
import type { ObjectRequest } from "./request.ts";

/** A request that has no answer yet, for people who look for what is stuck. */
export interface RequestInFlight {
  tid: number;
  object: string;
  namespace: string;
  /** `1.6`. */
  pg: string;
  /** The OSD that has it or will get it; -1: no OSD serves the PG now. */
  osd: number;
  /** Milliseconds since it was submitted. */
  age: number;
  /** How often it was sent. */
  attempts: number;
  /** `queued`: too much is in flight; `paused`: the OSD map says to wait; `waiting`: for an OSD or a connection. */
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

/** `read` for the code of a read; hexadecimal for a code that is not known here. */
export function opName(code: number): string {
  return names.get(code) ?? `0x${code.toString(16)}`;
}

const names = new Map(Object.entries(opCode).map(([name, code]): [number, string] => [code, name]));
