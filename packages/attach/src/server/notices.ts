import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ImageNotice } from "@siphon/rbd";
import { QuietLog } from "./quiet-log.ts";

/** Writes a line about what happens to open images without anybody asking for it, until disposed of. */
export function logNotices(log: (line: string) => void): Disposable {
  const nonsense = new QuietLog(log);
  const noticed = (message: unknown) => {
    const { event, image, error } = message as ImageNotice;
    if (event === "stale") {
      log(
        `image ${image}: its header changed and cannot be read, writes wait until it is: ${error?.message}`,
      );
    } else if (event === "current") log(`image ${image}: its header was read, writes go on`);
    else nonsense.write(`image ${image}: somebody notified what no client sends: ${error?.message}`);
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
