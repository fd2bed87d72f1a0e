import { channel } from "node:diagnostics_channel";

/** Published on the diagnostics channel `siphon:rbd:image`: what happens to an open image without anybody asking for it. */
export interface ImageNotice {
  /**
   * - `stale`: the header has changed and could not be read; writes wait until it is, and it is tried again;
   * - `current`: it was read;
   * - `nonsense`: somebody notified what no client sends, and was answered with nothing.
   */
  event: "stale" | "current" | "nonsense";
  /** Name of the image. */
  image: string;
  error?: Error;
}

const notices = channel("siphon:rbd:image");

export function notice(notice: ImageNotice): void {
  if (notices.hasSubscribers) notices.publish(notice);
}
