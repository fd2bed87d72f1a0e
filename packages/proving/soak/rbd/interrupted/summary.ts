import type { Kill } from "./campaign.ts";

export interface OperationSummary {
  kills: number;
  failures: number;
  /** How often each program dealt with the remains in which way: `finished by rbd`. */
  endings: Record<string, number>;
  /** The number of kills in each tenth of an uninterrupted run. */
  tenths: number[];
  /** The number of kills in each phase. */
  phases: Record<string, number>;
}

export function summary(kills: readonly Kill[]): Record<string, OperationSummary> {
  const all: Record<string, OperationSummary> = {};
  for (const { operation, at, of, phase, program, ending, failure } of kills) {
    all[operation] ??= { kills: 0, failures: 0, endings: {}, tenths: Array(10).fill(0), phases: {} };
    const { endings, tenths, phases } = all[operation];
    all[operation].kills++;
    if (failure !== undefined) all[operation].failures++;
    endings[`${ending} by ${program}`] = (endings[`${ending} by ${program}`] ?? 0) + 1;
    const tenth = Math.min(9, Math.floor((10 * at) / of));
    tenths[tenth] = tenths[tenth]! + 1;
    phases[phase] = (phases[phase] ?? 0) + 1;
  }
  return all;
}

/** A line for each kill, with the error if there was one. */
export function describe({ operation, number, by, at, of, phase, program, ending, failure }: Kill): string {
  const when = `${at.toFixed(0)} of ${of.toFixed(0)} ${by === "time" ? "ms" : "writes"}`;
  return `${operation} ${number}: killed at ${when}: ${phase}; ${failure ?? `${ending} by ${program}`}`;
}
