import type { IncomingMessage } from "../messenger/message.ts";

/** A message of an OSD to the watchers of an object, or to the client that notified them. */
export interface WatchNotify {
  event: WatchEvent;
  /** Cookie of the watch, as given when it was registered; of the notify, for `completed`. */
  cookie: bigint;
  notifyId: bigint;
  /** Payload of the notification; for `completed` see `replies`. */
  payload: Buffer;
  /** 0 or a negative errno, for `completed`. */
  result: number;
  /** The global id of the client that notifies. */
  notifier: bigint;
  /** For `completed`: what the watchers answered, as the OSD encodes it. */
  replies: Buffer;
}

export type WatchEvent = "notify" | "completed" | "disconnected";

const events: readonly (WatchEvent | undefined)[] = [undefined, "notify", "completed", "disconnected"];

/**
 * MWatchNotify (src/messages/MWatchNotify.h), versions 1 to 3: u8 protocol version, u8 event (1 notify, 2 completed,
 * 3 disconnected), u64 cookie, u64 version of the object, u64 notify id, blob payload, i32 result, u64 global id of the
 * notifier. Data: the replies.
 */
export function readWatchNotify(message: IncomingMessage): WatchNotify {
  const r = message.readFront("MWatchNotify");
  const protocol = r.u8();
  const code = r.u8();
  const event = events[code];
  if (event === undefined) throw r.malformed(`event ${code}`);
  const cookie = r.u64();
  r.skip(8);
  const notifyId = r.u64();
  const payload = protocol >= 1 ? r.blob() : Buffer.alloc(0);
  const result = message.version >= 2 ? r.i32() : 0;
  const notifier = message.version >= 3 ? r.u64() : 0n;
  return { event, cookie, notifyId, payload, result, notifier, replies: message.copyData() };
}
