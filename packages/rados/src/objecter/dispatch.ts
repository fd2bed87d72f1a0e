import { requestFlag } from "./op-code.ts";
import type { ObjectTarget } from "./target.ts";

/** How far a request has come, and where it was sent as of which map. Kept by the objecter. */
export class Dispatch {
  tid = 0;
  /** How often it was sent. */
  attempts = 0;
  /** Where it is now; undefined: with its owner. */
  holder: { delete(tid: number): boolean } | undefined;
  /** On a connection that is up, without an answer. */
  sent = false;
  /** Held back, or sent before there was a reason to hold it back. */
  paused = false;
  /** Those of the request, and more. */
  flags = 0;
  /** Bytes charged against the in-flight limit. */
  cost = 0;
  /** Whether it counts. */
  counted = false;
  /** `performance.now()` at submission, and when it is given up; Infinity: never. */
  submittedAt = 0;
  deadline = Number.POSITIVE_INFINITY;
  /** The time that a write is given, in milliseconds since 1970: the same for each attempt. */
  writtenAt = 0;

  /** The target in the pool that serves it: another than the request's behind a cache tier or a redirect. */
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

  /** Remembers where it goes. */
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
