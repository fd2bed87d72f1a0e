import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** A point in time or a span, as Ceph's utime_t: u32 seconds, u32 nanoseconds. */
export interface Utime {
  seconds: number;
  nanoseconds: number;
}

export function readUtime(r: Reader): Utime {
  const seconds = r.u32();
  return { seconds, nanoseconds: r.u32() };
}

export function writeUtime(w: Writer, time: Utime): void {
  w.u32(time.seconds).u32(time.nanoseconds);
}

/** Milliseconds since the epoch (or of the span) as a utime, to the microsecond that a double holds. */
export function utimeFromMilliseconds(milliseconds: number): Utime {
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanoseconds: Math.floor((milliseconds - seconds * 1000) * 1000) * 1000 };
}

export function utimeToMilliseconds(time: Utime): number {
  return time.seconds * 1000 + time.nanoseconds / 1e6;
}
