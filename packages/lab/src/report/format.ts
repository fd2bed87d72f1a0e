import type { Comparison, Estimate, FigureComparison, Verdict } from "../results/schema.ts";

/** No-break space between a figure and its unit. */
const space = "\u00a0";

/** A figure for a headline, of three digits: 12,500. */
export function rounded(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en-US");
}

/** A figure for copying: 12,345; below 100 with a decimal: 8.4. */
export function count(value: number): string {
  return withDigits(value, Math.abs(value) < 100 && !Number.isInteger(value) ? 1 : 0);
}

/** The limits of an estimate: "9,920–10,400". */
export function interval({ low, high }: Estimate, format: (value: number) => string = count): string {
  return `${format(low)}–${format(high)}`;
}

/** How many times: 51×, 4.4×, 0.96×; a thing is 1× itself. */
export function times(ratio: number): string {
  if (ratio === 1) return "1×";
  return `${withDigits(ratio, ratio >= 20 ? 0 : ratio >= 2 ? 1 : 2)}×`;
}

/** A change by a ratio: "+6 %", "−9 %", and from twice as much on "4.4×"; `like` another ratio is written. */
export function change(ratio: number, like: number = ratio): string {
  if (like >= 2) return times(ratio);
  const percent = (ratio - 1) * 100;
  const digits = Math.abs(percent) < 1 ? 1 : 0;
  const amount = withDigits(Math.abs(percent), digits);
  if (Number(amount) === 0) return `0${space}%`;
  return `${percent < 0 ? "−" : "+"}${amount}${space}%`;
}

/** The limits of a ratio, written as the ratio itself is: "+4 to +9 %", "4.3 to 4.6×". */
export function changeInterval({ median, low, high }: Estimate): string {
  return `${change(low, median).replace(/\s?[%×]$/, "")} to ${change(high, median)}`;
}

/** The sign of a verdict. */
export const verdictSigns: Record<Verdict, string> = {
  faster: "▲",
  slower: "▼",
  "no significant difference": "≈",
  "too few repeats": "?",
};

/** A comparison in a cell: "▲ +19 %". */
export function changeMark({ ratio, verdict }: Comparison): string {
  return `${verdictSigns[verdict]}${space}${change(ratio.median)}`;
}

/** The sign of a verdict on any figure. */
export const changeSigns: Record<FigureComparison["verdict"], string> = {
  better: "▲",
  worse: "▼",
  "no significant difference": "≈",
  "too few repeats": "?",
};

/** Change of a cost in a cell: "▲ −24 %" for an improvement, "" if not compared. */
export function costMark(cost: FigureComparison | undefined): string {
  return cost === undefined ? "" : `${changeSigns[cost.verdict]}${space}${change(cost.ratio.median)}`;
}

/** Microseconds in a suitable unit: "850 µs", "12.6 ms", "1.20 s". */
export function latency(microseconds: number): string {
  if (microseconds < 1000) return `${withDigits(microseconds, microseconds < 10 ? 1 : 0)}${space}µs`;
  if (microseconds < 1e6) return `${threeDigits(microseconds / 1000)}${space}ms`;
  return `${threeDigits(microseconds / 1e6)}${space}s`;
}

/** Microseconds of CPU: "118 µs", "8.4 µs". */
export function cpuTime(microseconds: number): string {
  return `${count(microseconds)}${space}µs`;
}

/** Percent of one core. */
export function percent(value: number): string {
  return `${withDigits(value, 0)}${space}%`;
}

/** Bytes in a suitable binary unit, without excess decimals: "16 KiB", "1.5 GiB". */
export function bytes(value: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let scaled = value;
  let unit = 0;
  while (scaled >= 1024 && unit < units.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${withDigits(scaled, Number.isInteger(scaled) ? 0 : 1)}${space}${units[unit]}`;
}

/** Bytes a second, in MiB as in the study: "1,916 MiB/s". */
export function throughput(bytesPerSecond: number): string {
  return `${count(bytesPerSecond / 2 ** 20)}${space}MiB/s`;
}

/** "14 March 2026, 09:26 UTC". */
export function dateTime(iso: string): string {
  const date = new Date(iso);
  const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" }).format(date);
  const time = new Intl.DateTimeFormat("en-GB", { timeStyle: "short", timeZone: "UTC" }).format(date);
  return `${day}, ${time}${space}UTC`;
}

/** The time between two instants: "8 min 18 s", "42 s". */
export function duration(from: string, to: string): string {
  const seconds = Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
  const minutes = Math.floor(seconds / 60);
  return minutes > 0 ? `${minutes}${space}min ${seconds % 60}${space}s` : `${seconds}${space}s`;
}

function withDigits(value: number, digits: number): string {
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function threeDigits(value: number): string {
  return withDigits(value, value < 10 ? 2 : value < 100 ? 1 : 0);
}
