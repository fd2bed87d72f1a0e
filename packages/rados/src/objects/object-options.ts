import { requestFlag } from "../objecter/op-code.ts";
import type { SnapContext } from "../objecter/snap-context.ts";

/** Defaults of a pool handle; each call may override them. */
export interface PoolOptions {
  /** Default: the unnamed namespace. */
  namespace?: string;
  /** Reads see this snapshot. */
  snapId?: number;
  /** Self-managed snapshots that writes preserve. */
  snapContext?: SnapContext;
  /** Milliseconds for each request; default 0: no limit. */
  timeout?: number;
  /** Replaces the object's name in the choice of its PG: objects with the same key share a PG. */
  key?: string;
}

/** Options of a request. */
export interface ObjectOptions extends Omit<PoolOptions, "namespace"> {
  signal?: AbortSignal;
  /** Reads from any replica, or from the nearest one. */
  readFrom?: "any" | "nearest";
  /** Orders reads with the writes of the object. */
  ordered?: boolean;
  /** For a full pool: fails with ENOSPC or EDQUOT instead of waiting, or tries anyway. */
  whenFull?: "fail" | "force";
  /** The object's mtime for a write; default now. */
  mtime?: Date;
  /** Returns the results and outputs of a write's steps, up to 64 bytes each; longer ones fail with EOVERFLOW. */
  returnOutputs?: boolean;
}

/** The result of an operation. */
export interface OperationOutcome<Values> {
  /** Version of the object: at the read, or after the write. */
  version: number;
  /** The value of each step. */
  values: Values;
  /** The result of each step: 0 or more, or a negative errno if it was allowed to fail. */
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
