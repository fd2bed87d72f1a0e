import type { BlkRequest, RequestOwner, RequestQueue } from "./blk/request.ts";
import type { ChangeLog } from "./change-log.ts";
import type { GuestMemory } from "./memory/guest-memory.ts";

/** State that all queues of a session share. */
export interface QueueHost extends RequestOwner {
  readonly memory: GuestMemory;
  /** Changes of the guest's memory, which is being migrated. */
  readonly changes: ChangeLog;
  readonly eventIdx: boolean;
  readonly indirect: boolean;
  /** Whether so much is under way that the rings are looked at anyhow. */
  readonly busy: boolean;
  /** Whether one more request may begin, by what is under way already. */
  readonly admits: boolean;
  /** No request may begin: `turn` is to be called when that has changed. */
  waitForRoom(): void;
  /** A request begins, or one has ended, that counts for this many bytes. */
  begun(cost: number): void;
  ended(cost: number): void;
  /** Requests that are not in use. */
  readonly pool: BlkRequest[];
  recycle(request: BlkRequest): void;
  /** Requests in flight that nobody waits for any more. No request begins before the last of them is done. */
  readonly orphans: RequestQueue & { adopt(request: BlkRequest): void; any(): boolean };
  /** Completions gathered; `turn` of all queues is to be called before this turn of the event loop ends. */
  turnSoon(): void;
  /** Kicks are suppressed; `turn` is to be called within a bounded time. */
  watch(): void;
  fault(queue: number, reason: string): void;
  /** A ring runs. */
  started(): void;
}
