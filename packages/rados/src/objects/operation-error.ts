import { errnoName } from "@siphon/wire";
import { passingErrors, RadosError, type RadosErrorCode } from "../errors.ts";
import { opCode, opFlag } from "../objecter/op-code.ts";
import type { Op } from "./op.ts";
import { mismatchResult } from "./operations/extents.ts";

/** A request that failed as a whole because one of its steps failed. */
export class OperationError extends RadosError {
  /** The failed step, from 0; undefined if unknown. */
  readonly step: number | undefined;
  /** After `compareExtent`: the first byte that differs, relative to its offset. */
  readonly mismatchAt: number | undefined;

  private constructor(
    code: RadosErrorCode,
    message: string,
    retryable: boolean,
    step: number | undefined,
    mismatchAt: number | undefined,
  ) {
    super(code, message, { retryable });
    this.step = step;
    this.mismatchAt = mismatchAt;
  }

  /**
   * @param what was attempted: "cannot read object o of pool p"
   * @param result negative
   * @param results of the steps, if known
   *
   * @internal
   */
  static of(what: string, result: number, ops: readonly Op[], results: readonly number[]): OperationError {
    const mayFail = (step: number) => ((ops[step]!.flags ?? 0) & opFlag.failOk) !== 0;
    const failed = results.findIndex((each, step) => each === result && !mayFail(step));
    const step = failed >= 0 ? failed : undefined;
    const where =
      step === undefined || ops.length === 1 ? "" : `: ${stepName(ops[step]!)}, step ${step}, failed`;
    if (result <= mismatchResult) {
      const at = mismatchResult - result;
      const message = `${what}${where}: byte ${at} differs from the expected data (ECANCELED)`;
      return new OperationError("ECANCELED", message, false, step, at);
    }
    const name = errnoName(result);
    const message = `${what}${where}${reason(name)} (${name ?? `error ${-result}`})`;
    const code = name === undefined ? "SIPHON_RADOS_REMOTE" : (name as RadosErrorCode);
    return new OperationError(code, message, passingErrors.has(code), step, undefined);
  }
}

/** Meanings of common errors of OSDs. */
const reasons: Record<string, string> = {
  ENOENT: "not found",
  EEXIST: "it already exists",
  ENODATA: "it has no such attribute",
  ENOSPC: "the pool or the cluster is full",
  EDQUOT: "the pool's quota is used up",
  EPERM: "operation not permitted",
  EACCES: "permission denied",
  ESHUTDOWN: "this client is on the blocklist",
  EOPNOTSUPP: "not supported by the pool or its OSDs",
  ECANCELED: "the comparison failed",
};

function reason(name: string | undefined): string {
  const text = name === undefined ? undefined : reasons[name];
  return text === undefined ? "" : `: ${text}`;
}

function stepName(op: Op): string {
  return Object.entries(opCode).find(([, code]) => code === op.code)?.[0] ?? `operation ${op.code}`;
}
