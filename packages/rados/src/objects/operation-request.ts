import { adviceOf, WireError } from "@siphon/wire";
import { RadosError } from "../errors.ts";
import { opCode, requestFlag } from "../objecter/op-code.ts";
import { ObjectRequest } from "../objecter/request.ts";
import type { ObjectTarget } from "../objecter/target.ts";
import type { Op } from "./op.ts";
import { OperationError } from "./operation-error.ts";

/** The used part of the objecter. */
export interface Submitter {
  submit(request: ObjectRequest): void;
  /** Fails it with this error, unless it is done. */
  cancel(request: ObjectRequest, error: RadosError): void;
}

/** One request for a list of operations, with all inputs and outputs in memory. */
export class OperationRequest extends ObjectRequest {
  readonly outputs: Buffer[];
  /** One per operation: 0 or more, or a negative errno. */
  readonly results: number[];
  readonly #steps: readonly Op[];
  readonly #done = Promise.withResolvers<void>();

  constructor(target: ObjectTarget, steps: readonly Op[], flags: number) {
    super();
    this.target = target;
    this.flags = flags;
    this.#steps = steps;
    this.outputs = steps.map(() => nothing);
    this.results = steps.map(() => 0);
    for (const { code, flags, input, writeArguments } of steps) {
      const at = this.ops.add(code, input?.length, flags);
      writeArguments?.(this.ops, at);
    }
  }

  override fill(op: number, into: Buffer, at: number): void {
    into.set(this.#steps[op]!.input!, at);
  }

  override output(op: number, result: number, length: number): void {
    const { into } = this.#steps[op]!;
    this.results[op] = result;
    this.outputs[op] =
      into !== undefined && length <= into.length
        ? Buffer.from(into.buffer, into.byteOffset, length)
        : length === 0
          ? nothing
          : Buffer.allocUnsafe(length);
  }

  override take(op: number, bytes: Buffer, start: number, end: number, position: number): void {
    bytes.copy(this.outputs[op]!, position, start, end);
  }

  override completed(): void {
    this.#done.resolve();
  }

  /**
   * Carries it out and waits.
   *
   * @param what the action, for errors: "cannot read object o of pool p"
   * @throws OperationError, RadosError, or the signal's reason; a cancelled write may still be executed
   */
  async perform(objecter: Submitter, what: () => string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const aborted = () => {
      const error = new RadosError("ECANCELED", `${what()}: canceled by the caller`, {
        cause: signal?.reason,
      });
      objecter.cancel(this, error);
    };
    signal?.addEventListener("abort", aborted, { once: true });
    try {
      objecter.submit(this);
      await this.#done.promise;
    } finally {
      signal?.removeEventListener("abort", aborted);
    }
    if (this.result >= 0) return;
    if (this.error === undefined) throw OperationError.of(what(), this.result, this.#steps, this.results);
    if (signal?.aborted && this.error.code === "ECANCELED") throw signal.reason;
    const { code, message, retryable } = this.error;
    throw new RadosError(code, `${what()}: ${message}`, {
      retryable,
      cause: this.error,
      ...adviceOf(this.error),
    });
  }
}

/** Decodes the outputs of a request; an invalid output is an error that names the object. */
export function decoded<T>(what: () => string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new RadosError("SIPHON_RADOS_PROTOCOL", `${what()}: ${cause.message}`, { cause });
  }
}

/** Whether a request with these operations reads, writes or both, as `requestFlag`s. */
export function accessFlags(steps: readonly Op[]): number {
  let flags = 0;
  for (const { code } of steps) {
    if (code === opCode.call) continue;
    flags |= (code & modeWrite) !== 0 ? requestFlag.write : requestFlag.read;
  }
  return flags;
}

/** CEPH_OSD_OP_MODE_WR. */
const modeWrite = 0x2000;

const nothing = Buffer.alloc(0);
