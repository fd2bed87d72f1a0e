import type { Cluster, Pool } from "@siphon/rados";
import type { RbdError } from "../errors.ts";
import type { ImageState } from "../image-state.ts";
import type { NotifyMessage } from "../watch/notify-message.ts";

/** The open image of the lock. */
export interface LockHost {
  readonly cluster: Cluster;
  /** Pool of the header. */
  readonly pool: Pool;
  readonly image: Pick<ImageState, "id" | "name">;
  /** Cookie of the watch on the header; waits for it while the watch is made again. */
  watchCookie(): Promise<bigint>;
  /** The answer of the lock's owner; undefined if there is none. */
  askOwner(message: NotifyMessage): Promise<number | undefined>;
  tell(message: NotifyMessage): Promise<void>;
  /** The lock was acquired: reads the image again. The lock may be lost meanwhile. */
  acquired(): Promise<void>;
  /** This client still has the lock after `acquired`: writes may begin. */
  owned(): void;
  /** The owner keeps the lock, and it is requested again; undefined: no caller waits any more. */
  waiting(error: RbdError | undefined): void;
  /** The lock will be released: waits for the writes in flight, and lets none begin. */
  releasing(): Promise<void>;
  /** It was, or may have been, released or lost. */
  released(): void;
  /** Another client requested the lock, and the release failed; that client will ask again. */
  notReleased(error: unknown): void;
  /** OSDs reject this client's writes from now on. */
  fenced(error: RbdError): void;
}
