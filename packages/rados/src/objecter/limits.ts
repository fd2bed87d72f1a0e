import { opCode, requestFlag } from "./op-code.ts";
import type { ObjectRequest } from "./request.ts";

export interface InFlightLimits {
  /** Requests in flight (objecter_inflight_ops). */
  ops: number;
  /** Bytes that they send or request (objecter_inflight_op_bytes). */
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

  /** Whether one more may be sent; a single one always may. */
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

/** The bytes that a request sends and requests. */
export function costOf({ ops, flags }: ObjectRequest): number {
  let bytes = ops.inputBytes;
  if ((flags & requestFlag.read) === 0) return bytes;
  for (let op = 0; op < ops.count; op++) {
    const code = ops.code(op);
    if (code === opCode.read || code === opCode.sparseRead) bytes += ops.extentLength(op);
  }
  return bytes;
}
