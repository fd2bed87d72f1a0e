import type { RowLayout } from "./rows.ts";
import { wrap } from "./rows.ts";

/** The least and the greatest value of a scale. */
export type Domain = [least: number, greatest: number];

/** 1, 2, 5, 10, ... within a domain. */
export function logTicks([least, greatest]: Domain): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.log10(greatest); power++) {
    for (const digit of [1, 2, 5]) {
      const tick = Number(`${digit}e${power}`);
      if (tick >= least && tick <= greatest) ticks.push(tick);
    }
  }
  return ticks;
}

/** An axis title, on two lines if there is little width. */
export function axisTitle({ format }: RowLayout, title: string): string[] {
  return format === "narrow" ? wrap(title, 58) : [title];
}
