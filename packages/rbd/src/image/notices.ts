import { channel } from "node:diagnostics_channel";

/** Published on the diagnostics channel `siphon:rbd:image`: events of an open image that nobody asked for. */
export interface ImageNotice {
  /**
   * - `stale`: the header has changed and could not be read; writes wait until it is, and it is tried again;
   * - `current`: it was read;
   * - `unwatched`: the watch on the header was lost and could not be made anew, or the lock not be named after it; writes wait until both
   *   are done, and it is tried again;
   * - `watched`: they are done;
   * - `locked`: another client keeps the lock; writes wait until they have it, and it is requested again;
   * - `unlocked`: the lock is ours;
   * - `fenced`: this client was put on the blocklist, or lost the lock: no write is acknowledged any more;
   * - `kept`: another client asked for the lock, and it could not be given away; the other client asks again;
   * - `single`: the image has no workers, though they were requested, and is served by one thread; the error says why;
   * - `nonsense`: somebody sent a notification that no client sends; it was not answered.
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
    | "nonsense";
  /** Name of the image. */
  image: string;
  error?: Error;
}

const notices = channel("siphon:rbd:image");

export function notice(notice: ImageNotice): void {
  if (notices.hasSubscribers) notices.publish(notice);
}
