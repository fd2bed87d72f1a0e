/** The event behind a line, for programs. */
export interface LogEvent {
  /**
   * - `paused`, `resumed`: a disk waits for room or for the cluster, by its error policy; it goes on;
   * - `waiting`, `answered`: the cluster does not answer a disk's requests; it does again;
   * - `stale`, `current`: a header has changed and cannot be read, writes wait; it was read;
   * - `unwatched`, `watched`: the watch on a header was lost, writes wait; it is back;
   * - `locked`, `unlocked`: another client keeps the lock, writes wait; they go on;
   * - `fenced`: this client was put on the blocklist, or lost the lock: nothing is acknowledged any more;
   * - `single`: one thread serves an image that was to have workers;
   * - `shard-ended`, `shard-serving`: a shard ended unasked; it serves again;
   * - `disk-failed`, `disk-serving`: the service cannot serve a disk, and tries again; it is served;
   * - `disk-file`: a disk's file makes no sense, and is left out;
   * - `note`: everything else.
   */
  readonly event: string;
  /** `POOL/IMAGE`, or the image's name alone. */
  readonly image?: string;
  readonly shard?: number;
  /** The disk's name in the service. */
  readonly disk?: string;
}

/** Receives a line for each event. */
export type Log = (line: string, about?: LogEvent) => void;

export type LogFormat = "text" | "json";

/** Lines to a stream, as they are or as a JSON object each: `time`, `event`, `message`, and `image` and `shard` where they are known. */
export function logTo(stream: { write(text: string): unknown }, format: LogFormat): Log {
  if (format === "text") return (line) => void stream.write(`${line}\n`);
  return (message, about = { event: "note" }) => {
    stream.write(`${JSON.stringify({ time: new Date().toISOString(), ...about, message })}\n`);
  };
}
