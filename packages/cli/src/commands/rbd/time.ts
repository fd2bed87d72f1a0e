import { execFileSync } from "node:child_process";
import { usage } from "./image-spec.ts";

/** Parses a time with date(1), as rbd does: `2030-01-01`, `tomorrow`, `2 weeks`. */
export function parseTime(text: string): Date {
  try {
    const seconds = execFileSync("date", ["-d", text, "+%s"], { stdio: ["ignore", "pipe", "ignore"] });
    return new Date(Number(seconds) * 1000);
  } catch {
    throw usage(`${text} is no time: 2030-01-01, tomorrow, "2 weeks", as date -d reads it`);
  }
}
