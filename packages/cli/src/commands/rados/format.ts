/** JSON as Ceph's programs write it: on one line, or indented by four spaces per level. */
export function json(value: unknown, format: "json" | "json-pretty"): string {
  return format === "json" ? JSON.stringify(value) : `${JSON.stringify(value, null, 4)}\n`;
}

/** A number of bytes in at most five characters and its unit, as in Ceph's tables: `20 KiB`, `6.9 GiB`. */
export function bytesText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
  let unit = 0;
  for (let rest = bytes; rest >= 1024; rest = Math.floor(rest / 1024)) unit++;
  const value = bytes / 1024 ** unit;
  const name = ` ${units[unit]}`;
  if (Number.isInteger(value)) return `${value}${name}`;
  const fitting = [2, 1].map((digits) => `${value.toFixed(digits)}${name}`).find((text) => text.length <= 7);
  return fitting ?? `${value.toFixed(0)}${name}`;
}

/** Columns two spaces apart; the first is left-aligned, the others right-aligned. */
export function columns(rows: readonly (readonly (string | number)[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => String(row[i]).length)));
  const line = (row: readonly (string | number)[]) =>
    row.map((cell, i) => (i === 0 ? String(cell).padEnd(widths[i]!) : String(cell).padStart(widths[i]!)));
  return rows.map((row) => `${line(row).join("  ")}\n`).join("");
}

/**
 * Local time with its offset from UTC: `2026-11-23T00:52:15.000000+0000`; within ten years of 1970 only the seconds.
 */
export function timestamp(date: Date, microseconds = 0): string {
  const seconds = Math.floor(date.getTime() / 1000);
  if (seconds < tenYears) return `${seconds}.${String(microseconds).padStart(6, "0")}`;
  const minutes = -date.getTimezoneOffset();
  const sign = minutes < 0 ? "-" : "+";
  const zone = `${two(Math.floor(Math.abs(minutes) / 60))}${two(Math.abs(minutes) % 60)}`;
  const fraction = String(microseconds).padStart(6, "0");
  return `${date.getFullYear()}-${dayOf(date, "-")}T${clock(date)}.${fraction}${sign}${zone}`;
}

/** `2026.11.23 00:54:21`, in local time. */
export function dottedTime(date: Date): string {
  return `${date.getFullYear()}.${dayOf(date, ".")} ${clock(date)}`;
}

/** Up to six significant digits, as C++ streams write numbers. */
export function sixDigits(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function dayOf(date: Date, separator: string): string {
  return `${two(date.getMonth() + 1)}${separator}${two(date.getDate())}`;
}

function clock(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** Seconds; utime_t in src/include/utime.h prints smaller values as a duration. */
const tenYears = 10 * 365 * 24 * 3600;
