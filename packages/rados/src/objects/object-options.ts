import { requestFlag } from "../objecter/op-code.ts";
import type { SnapContext } from "../objecter/snap-context.ts";

/** Which part of a pool, and how, for all that is done through a handle; each call may say otherwise. */
export interface PoolOptions {
  /** Default: the one without a name. */
  namespace?: string;
  /** Reads see the pool as it was at this snapshot. */
  snapId?: number;
  /** Self-managed snapshots that writes preserve. */
  snapContext?: SnapContext;
  /** Milliseconds for each request; 0, the default: for as long as it takes. */
  timeout?: number;
  /** Takes the place of the object's name where its PG is chosen: objects with one key share a PG. */
  key?: string;
}

/** How a request is carried out. */
export interface ObjectOptions extends Omit<PoolOptions, "namespace"> {
  signal?: AbortSignal;
  /** Reads from any replica, or from the nearest one. */
  readFrom?: "any" | "nearest";
  /** Also orders reads among the writes of the object. */
  ordered?: boolean;
  /** Fails with ENOSPC or EDQUOT where the pool is full, instead of waiting; or does not mind. */
  whenFull?: "fail" | "force";
  /** The time of change that a write gives the object; default now. */
  mtime?: Date;
  /** Gets the results and outputs of a write's steps, of up to 64 bytes each; longer ones make it fail with EOVERFLOW. */
  returnOutputs?: boolean;
}

/** The result of an operation. */
export interface OperationOutcome<Values> {
  /** Version of the object: as it was read, or after the write. */
  version: number;
  /** The value of each step. */
  values: Values;
  /** The result of each step: 0 or more, or a negative errno where it was allowed to fail. */
  results: readonly number[];
}

/** As `requestFlag`s. */
export function optionFlags({ readFrom, ordered, whenFull, returnOutputs }: ObjectOptions): number {
  return (
    (readFrom === "any" ? requestFlag.balanceReads : 0) |
    (readFrom === "nearest" ? requestFlag.localizeReads : 0) |
    (ordered ? requestFlag.readWriteOrdered : 0) |
    (whenFull === "fail" ? requestFlag.fullTry : 0) |
    (whenFull === "force" ? requestFlag.fullForce : 0) |
    (returnOutputs ? requestFlag.returnVector : 0)
  );
}
