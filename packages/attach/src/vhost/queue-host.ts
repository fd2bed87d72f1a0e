import type { BlkRequest, RequestOwner, RequestQueue } from "./blk/request.ts";
import type { ChangeLog } from "./change-log.ts";
import type { GuestMemory } from "./memory/guest-memory.ts";

/** State that all queues of a session share. */
export interface QueueHost extends RequestOwner {
  readonly memory: GuestMemory;
  /** Log of changes of the guest's memory, for migration. */
  readonly changes: ChangeLog;
  readonly eventIdx: boolean;
  readonly indirect: boolean;
  /** Whether enough requests are in flight that their completions check the rings. */
  readonly busy: boolean;
  /** Whether the requests in flight leave room for another. */
  readonly admits: boolean;
  /** No request may begin: calls `turn` when there is room again. */
  waitForRoom(): void;
  /** A request charged with this many bytes has begun, or has ended. */
  begun(cost: number): void;
  ended(cost: number): void;
  /** Unused request objects. */
  readonly pool: BlkRequest[];
  recycle(request: BlkRequest): void;
  /** Requests in flight without a receiver. No request begins before the last of them is done. */
  readonly orphans: RequestQueue & { adopt(request: BlkRequest): void; any(): boolean };
  /** There are completions: calls `turn` of all queues before this turn of the event loop ends. */
  turnSoon(): void;
  /** Kicks are suppressed: calls `turn` within a bounded time. */
  watch(): void;
  fault(queue: number, reason: string): void;
  /** A ring runs. */
  started(): void;
}
