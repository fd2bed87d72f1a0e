import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ImageNotice } from "@siphon/rbd";
import type { Log } from "./log.ts";
import { QuietLog } from "./quiet-log.ts";

/** Writes a line for each spontaneous event of an open image, until disposed of. */
export function logNotices(log: Log): Disposable {
  const nonsense = new QuietLog(log);
  const noticed = (message: unknown) => {
    const { event, image, error } = message as ImageNotice;
    if (event === "stale") {
      log(
        `image ${image}: its header changed and cannot be read; writes wait until it can: ${error?.message}`,
        { event, image },
      );
    } else if (event === "current") {
      log(`image ${image}: its header was read; writes go on`, { event, image });
    } else if (event === "unwatched") {
      log(
        `image ${image}: the watch on its header was lost; writes wait until it is back: ${error?.message}`,
        {
          ...{ event, image },
        },
      );
    } else if (event === "watched") {
      log(`image ${image}: its header is watched again; writes go on`, { event, image });
    } else if (event === "locked") {
      log(`image ${image}: another client keeps its lock; writes wait until it is given away`, {
        event,
        image,
      });
    } else if (event === "unlocked") {
      log(`image ${image}: its lock was given away; writes go on`, { event, image });
    } else if (event === "fenced") {
      log(`image ${image}: nothing is acknowledged any more: ${error?.message}`, { event, image });
    } else if (event === "kept") {
      log(
        `image ${image}: another client wants its lock, which could not be given away yet: ${error?.message}`,
      );
    } else if (event === "single") {
      log(`image ${image}: served by one thread instead of workers: ${error?.message}`, { event, image });
    } else if (event === "worker") {
      log(`image ${image}: this process ends: ${error?.message}`, { event, image });
    } else nonsense.write(`image ${image}: ignored an invalid notification: ${error?.message}`);
  };
  subscribe(imageNotices, noticed);
  return {
    [Symbol.dispose]() {
      unsubscribe(imageNotices, noticed);
      nonsense[Symbol.dispose]();
    },
  };
}

const imageNotices = "siphon:rbd:image";
