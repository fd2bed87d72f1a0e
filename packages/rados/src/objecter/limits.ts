import { opCode, requestFlag } from "./op-code.ts";
import type { ObjectRequest } from "./request.ts";

export interface InFlightLimits {
  /** Requests at once (objecter_inflight_ops). */
  ops: number;
  /** Bytes that they carry or ask for (objecter_inflight_op_bytes). */
  bytes: number;
}

/** Requests and bytes in flight, and their limits. */
export class InFlight {
  readonly limits: InFlightLimits;
  ops = 0;
  bytes = 0;

  constructor(limits: InFlightLimits) {
    this.limits = limits;
  }

  /** Whether one more may go: a single one always, however large. */
  admits(cost: number): boolean {
    return this.ops === 0 || (this.ops < this.limits.ops && this.bytes + cost <= this.limits.bytes);
  }

  enter(cost: number): void {
    this.ops++;
    this.bytes += cost;
  }

  leave(cost: number): void {
    this.ops--;
    this.bytes -= cost;
  }
}

/** The bytes that a request carries and asks for. */
export function costOf({ ops, flags }: ObjectRequest): number {
  let bytes = ops.inputBytes;
  if ((flags & requestFlag.read) === 0) return bytes;
  for (let op = 0; op < ops.count; op++) {
    const code = ops.code(op);
    if (code === opCode.read || code === opCode.sparseRead) bytes += ops.extentLength(op);
  }
  return bytes;
}
