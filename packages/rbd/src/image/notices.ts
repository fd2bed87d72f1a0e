import { channel } from "node:diagnostics_channel";

/** Published on the diagnostics channel `siphon:rbd:image`: spontaneous events of an open image. */
export interface ImageNotice {
  /**
   * - `stale`: a changed header could not be read; writes wait while siphon retries;
   * - `current`: it was read;
   * - `unwatched`: the watch on the header was lost and could not be renewed, or the lock could not be renamed to it;
   *   writes wait while siphon retries;
   * - `watched`: they are done;
   * - `locked`: another client keeps the lock; writes wait while siphon requests it again;
   * - `unlocked`: this client has the lock;
   * - `fenced`: this client was put on the blocklist, or lost the lock: no write is acknowledged any more;
   * - `kept`: another client requested the lock, and it could not be released; the other client requests it again;
   * - `single`: one thread serves the image instead of the requested workers; the error says why;
   * - `worker`: a worker failed; the image ends, and usually the process;
   * - `nonsense`: an invalid notification was ignored.
   */
  event:
    | "stale"
    | "current"
    | "unwatched"
    | "watched"
    | "locked"
    | "unlocked"
    | "fenced"
    | "kept"
    | "single"
    | "worker"
    | "nonsense";
  /** Name of the image. */
  image: string;
  error?: Error;
}

const notices = channel("siphon:rbd:image");

export function notice(notice: ImageNotice): void {
  if (notices.hasSubscribers) notices.publish(notice);
}
