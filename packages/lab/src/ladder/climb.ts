import { LabError } from "../errors.ts";
import type { Report } from "../step.ts";
import type { Measurer, PlannedClimb } from "./measure.ts";
import type { LadderOptions } from "./options.ts";
import type { LadderRecord } from "./record.ts";
import { interleave } from "./schedule.ts";

/** Errors after which it makes no sense to go on with the other rungs. */
const fatal = new Set(["SIPHON_NO_SPACE", "SIPHON_CLUSTER", "SIPHON_MISSING_PROGRAM", "SIPHON_PERMISSION"]);

export interface ClimbHooks {
  report: Report;
  signal: AbortSignal;
  /** Called after every run, so that results so far are on disk. */
  save: () => Promise<void>;
}

/**
 * Measures every rung in every repeat, interleaved. A run that fails is noted with its rung and the others
 * go on; an abort, or a failure of what all rungs share, is thrown.
 */
export async function climb(
  rungs: PlannedClimb[],
  measurer: Measurer,
  record: LadderRecord,
  options: LadderOptions,
  { report, signal, save }: ClimbHooks,
): Promise<void> {
  const schedule = interleave(rungs, options.repeat, options.seed);
  const began = performance.now();
  for (const [order, { item, repeat }] of schedule.entries()) {
    signal.throwIfAborted();
    const { name } = item.rung;
    if (record.isHopeless(name)) continue;
    report(
      `run ${order + 1} of ${schedule.length}: ${name}, repeat ${repeat + 1} of ${options.repeat}` +
        timeLeft(order, schedule.length, performance.now() - began),
    );
    try {
      record.add(name, await twice(() => measurer.measure(item, { repeat, order }, signal)));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof LabError) || fatal.has(error.code)) throw error;
      record.fail(name, error.message);
    }
    await save();
  }
}

/** Tries once more what failed by the moment's fault: a guest on a busy machine whose clock ran wrong. */
async function twice<T>(work: () => Promise<T>): Promise<T> {
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
