import { requestFlag } from "./op-code.ts";
import type { ObjectTarget } from "./target.ts";

/** The objecter's state of a request: its progress, and its placement by the map's epoch. */
export class Dispatch {
  tid = 0;
  /** Number of attempts. */
  attempts = 0;
  /** Its list; undefined: with its owner. */
  holder: { delete(tid: number): boolean } | undefined;
  /** Sent on the current connection, unanswered. */
  sent = false;
  /** Held back by a backoff, or sent before the backoff. */
  paused = false;
  /** The request's flags, and further ones. */
  flags = 0;
  /** Bytes charged against the in-flight limit. */
  cost = 0;
  /** Whether it is charged. */
  counted = false;
  /** `performance.now()` at submission, and the deadline; Infinity: none. */
  submittedAt = 0;
  deadline = Number.POSITIVE_INFINITY;
  /** The mtime of a write in milliseconds since 1970, equal for each attempt. */
  writtenAt = 0;

  /** The target in the serving pool; differs from the request's with a cache tier or redirect. */
  place!: ObjectTarget;
  redirected: ObjectTarget | undefined;
  osd = -1;
  primary = -1;
  shard = -1;
  pgSeed = 0;
  pgNum = 0;
  acting: readonly number[] = [];
  epoch = 0;

  /**
   * Begins a submission.
   *
   * @param flags those of the request
   * @param now `performance.now()`
   * @param timeout milliseconds; 0 for none
   */
  begin(tid: number, flags: number, cost: number, now: number, timeout: number): void {
    this.tid = tid;
    this.attempts = 0;
    this.epoch = 0;
    this.osd = -1;
    this.redirected = undefined;
    this.flags = flags | everyRequest;
    this.cost = cost;
    this.submittedAt = now;
    this.deadline = timeout > 0 ? now + timeout : Number.POSITIVE_INFINITY;
  }

  /** Records its placement. */
  address(place: ObjectTarget, osd: number): void {
    this.place = place;
    this.osd = osd;
    this.primary = place.primary;
    this.shard = place.shard;
    this.pgSeed = place.pgSeed;
    this.pgNum = place.pgNum;
    this.acting = place.acting;
    this.epoch = place.epoch;
  }
}

const everyRequest = requestFlag.knownRedirect | requestFlag.onDisk | requestFlag.knowsPoolEio;
