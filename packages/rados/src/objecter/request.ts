import type { RadosError } from "../errors.ts";
import { Dispatch } from "./dispatch.ts";
import { OpList } from "./op-list.ts";
import { NO_SNAP, noSnapshots, type SnapContext } from "./snap-context.ts";
import type { ObjectTarget } from "./target.ts";

/**
 * A request to an object: operations that are executed atomically, and their results. This is the fast API: subclasses
 * define the source of inputs and the destination of outputs, and are reused, so that an operation allocates no
 * Promise, closure or Buffer. The objecter owns a request from `submit` to `completed`.
 */
export abstract class ObjectRequest {
  target!: ObjectTarget;
  readonly ops: OpList;
  /** `requestFlag`s: at least `read` or `write`. */
  flags = 0;
  /** The snapshot to read: its id, or NO_SNAP. */
  snapId: number = NO_SNAP;
  /** The snapshots that a write preserves. */
  snapContext: SnapContext = noSnapshots;
  /** Milliseconds until the request fails with SIPHON_RADOS_TIMEOUT; 0 for never. */
  timeout = 0;
  /** The object's mtime for a write, in milliseconds since 1970; below 0: now. */
  mtime = -1;

  /** 0 or more for success (a byte count for some operations), or a negative errno, the OSD's or of `error`. */
  result = 0;
  /** Why the request failed without an answer: timeout, closed, cancelled. */
  error: RadosError | undefined;
  /** The object's version after a write, or at the read. */
  version = 0;

  /**
   * Kept by the objecter.
   *
   * @internal
   */
  readonly dispatch = new Dispatch();

  constructor(ops: OpList = new OpList()) {
    this.ops = ops;
  }

  /**
   * Writes the input of an operation, with the length given in `ops`, to `into` at `at`. Called for each attempt:
   * inputs must not change until `completed`.
   */
  abstract fill(op: number, into: Buffer, at: number): void;

  /** The same input in place, if it is contiguous; then `fill` may not be called. */
  inputInPlace(_op: number): Uint8Array | undefined {
    return undefined;
  }

  /**
   * Called before the output of an operation: its result, and the number of bytes for `take`. Operations after a failed
   * one have error results, or are not reported.
   */
  abstract output(op: number, result: number, length: number): void;

  /**
   * Receives `bytes` from `start` up to `end`, valid during the call, for `position` of the operation's output. The
   * output of a large read arrives in portions before its checksum is verified: it is valid only at `completed`, and
   * repeats after a lost connection.
   */
  abstract take(op: number, bytes: Buffer, start: number, end: number, position: number): void;

  /** Called when the request is done and `result` is set, never within `submit`. The request may be reused at once. */
  abstract completed(): void;
}
