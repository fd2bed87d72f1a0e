import type { Cluster, Pool } from "@siphon/rados";
import type { RbdError } from "../errors.ts";
import type { ImageState } from "../image-state.ts";
import type { NotifyMessage } from "../watch/notify-message.ts";

/** The open image whose lock it is. */
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
  /** The lock was taken: reads the image again. It may be lost meanwhile. */
  acquired(): Promise<void>;
  /** The lock is still ours after `acquired`: writes may begin. */
  owned(): void;
  /** The owner keeps the lock, and it is requested again; undefined: nobody waits for it any more. */
  waiting(error: RbdError | undefined): void;
  /** The lock will be given away: waits for the writes in flight, and lets none begin. */
  releasing(): Promise<void>;
  /** It was given away or lost, or may have been. */
  released(): void;
  /** Another client asked for the lock, and it could not be given away: it will ask again. */
  notReleased(error: unknown): void;
  /** Nothing that this client writes arrives any more. */
  fenced(error: RbdError): void;
}
