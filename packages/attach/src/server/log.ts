/** The event of a line, for programs. */
export interface LogEvent {
  /**
   * - `paused`, `resumed`: a disk waits for room or for the cluster, by its error policy; it resumed;
   * - `waiting`, `answered`: the cluster does not answer a disk's requests; it answers again;
   * - `stale`, `current`: a changed header cannot be read, writes wait; it was read;
   * - `unwatched`, `watched`: the watch on a header was lost, writes wait; it is back;
   * - `locked`, `unlocked`: another client keeps the lock, writes wait; they continue;
   * - `fenced`: this client was put on the blocklist, or lost the lock: it acknowledges nothing any more;
   * - `single`: one thread serves an image instead of workers;
   * - `shard-ended`, `shard-serving`: a shard ended unexpectedly; it serves again;
   * - `disk-failed`, `disk-serving`: the service cannot serve a disk, and tries again; it is served;
   * - `disk-file`: a disk's file is invalid, and is skipped;
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

/**
 * Writes lines to a stream, as text or as one JSON object each: `time`, `event`, `message`, and `image` and `shard` if
 * known.
 */
export function logTo(stream: { write(text: string): unknown }, format: LogFormat): Log {
  if (format === "text") return (line) => void stream.write(`${line}\n`);
  return (message, about = { event: "note" }) => {
    stream.write(`${JSON.stringify({ time: new Date().toISOString(), ...about, message })}\n`);
  };
}
