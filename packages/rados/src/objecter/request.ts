import type { RadosError } from "../errors.ts";
import { Dispatch } from "./dispatch.ts";
import { OpList } from "./op-list.ts";
import { NO_SNAP, noSnapshots, type SnapContext } from "./snap-context.ts";
import type { ObjectTarget } from "./target.ts";

/**
 * A request to an object: operations that are carried out together or not at all, and what came of them. The fast way in:
 * subclasses say where inputs come from and where outputs go, and are used again for request after request, so that an
 * operation costs no Promise, closure or Buffer. A request belongs to the objecter from `submit` to `completed`.
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
  /** The time that a write gives the object, in milliseconds since 1970; below 0: now. */
  mtime = -1;

  /** 0 or more for success (a byte count for some operations), or a negative errno, the OSD's or of `error`. */
  result = 0;
  /** Why the request failed without an answer: timeout, closed, aborted. */
  error: RadosError | undefined;
  /** The object's version after a write, or as it was read. */
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
   * Writes the input of an operation, as many bytes as `ops` says, to `into` at `at`. Called for each attempt: inputs must
   * stay as they are until `completed`.
   */
  abstract fill(op: number, into: Buffer, at: number): void;

  /** The same input where it is, if it lies together; then `fill` may not be called. */
  inputInPlace(_op: number): Uint8Array | undefined {
    return undefined;
  }

  /**
   * Before the output of an operation is taken: its result, and how many bytes follow in `take`. Operations that were not
   * reached, since one before failed, say so by their results or not at all.
   */
  abstract output(op: number, result: number, length: number): void;

  /**
   * Takes `bytes` from `start` up to `end`, valid during the call, which belong at `position` of the operation's output. The
   * output of a large read comes in portions, before its checksum is known: it is right only once `completed` says
   * so, and comes again after a lost connection.
   */
  abstract take(op: number, bytes: Buffer, start: number, end: number, position: number): void;

  /** All is done and `result` set; never called from within `submit`. The request may be used again at once. */
  abstract completed(): void;
}
