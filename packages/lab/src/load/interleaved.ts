import { LabError } from "../errors.ts";
import type { Run } from "../results/schema.ts";
import type { Report } from "../step.ts";
import { interleave } from "./schedule.ts";

/** Its position among all runs. */
export interface Turn {
  repeat: number;
  /** Its place in the order of all runs, from 0. */
  order: number;
}

/** Receives the runs, by the name of the measured item. */
export interface RunRecord {
  add(name: string, run: Omit<Run, "outlier">): void;
  fail(name: string, reason: string): void;
  /** Whether an item failed in its first repeat; it is then not tried again. */
  isHopeless(name: string): boolean;
}

export interface CampaignHooks {
  report: Report;
  signal: AbortSignal;
  /** Called after every run, so that results so far are on disk. */
  save: () => Promise<void>;
}

/**
 * Measures every item in every repeat, interleaved. A run that fails is recorded, and the others continue; an abort, or
 * an error with a code in `fatal`, is thrown.
 */
export async function measureInterleaved<T>(
  items: readonly T[],
  { repeat, seed }: { repeat: number; seed: number },
  work: {
    nameOf: (item: T) => string;
    measure: (item: T, turn: Turn) => Promise<Omit<Run, "outlier">>;
    fatal: ReadonlySet<LabError["code"]>;
  },
  record: RunRecord,
  { report, signal, save }: CampaignHooks,
): Promise<void> {
  const schedule = interleave(items, repeat, seed);
  const began = performance.now();
  for (const [order, { item, repeat: nth }] of schedule.entries()) {
    signal.throwIfAborted();
    const name = work.nameOf(item);
    if (record.isHopeless(name)) continue;
    report(
      `run ${order + 1} of ${schedule.length}: ${name}, repeat ${nth + 1} of ${repeat}` +
        timeLeft(order, schedule.length, performance.now() - began),
    );
    try {
      record.add(name, await twice(() => work.measure(item, { repeat: nth, order })));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof LabError) || work.fatal.has(error.code)) throw error;
      record.fail(name, error.message);
    }
    await save();
  }
}

/** Repeats a temporary failure once: a guest on a busy machine whose clock was wrong. */
export async function twice<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LabError && error.retryable) return await work();
    throw error;
  }
}

function timeLeft(done: number, all: number, elapsedMs: number): string {
  if (done === 0) return "";
  const seconds = Math.round(((elapsedMs / done) * (all - done)) / 1000);
  return `, about ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} left`;
}
