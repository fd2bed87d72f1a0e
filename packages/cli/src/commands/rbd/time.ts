import { execFileSync } from "node:child_process";
import { usage } from "./image-spec.ts";

/** A time as date(1) reads it, which rbd asks as well: `2030-01-01`, `tomorrow`, `2 weeks`. */
export function parseTime(text: string): Date {
  try {
    const seconds = execFileSync("date", ["-d", text, "+%s"], { stdio: ["ignore", "pipe", "ignore"] });
    return new Date(Number(seconds) * 1000);
  } catch {
    throw usage(`${text} is no time: 2030-01-01, tomorrow, "2 weeks", as date -d reads it`);
  }
}

/** As Ceph prints a time: local, with microseconds and the zone's offset, `2040-01-01T00:00:00.000000+0000`. */
export function utime(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.abs(offset) / 60)}${two(Math.abs(offset) % 60)}`;
  return `${new Date(date.getTime() + offset * 60_000).toISOString().replace("Z", "000")}${zone}`;
}
