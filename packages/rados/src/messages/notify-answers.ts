import { Reader } from "@siphon/wire";

/** Watchers that answered a notify, and those that did not answer in time. */
export interface NotifyAnswers {
  replies: (NotifiedWatcher & { payload: Buffer })[];
  missed: NotifiedWatcher[];
}

export interface NotifiedWatcher {
  /** Its `globalId`. */
  client: bigint;
  /** Cookie of its watch. */
  cookie: bigint;
}

/** Map of u64 client and u64 cookie to blob, list of u64 client and u64 cookie (Notify in src/osd/Watch.cc). */
export function readNotifyAnswers(bytes: Uint8Array): NotifyAnswers {
  if (bytes.length === 0) return { replies: [], missed: [] };
  const r = new Reader(bytes, "answers to a notify");
  const replies = r.list(20, () => ({ client: r.u64(), cookie: r.u64(), payload: r.blob() }));
  return { replies, missed: r.list(16, () => ({ client: r.u64(), cookie: r.u64() })) };
}
