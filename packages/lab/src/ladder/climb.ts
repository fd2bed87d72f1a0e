import type { LabErrorCode } from "../errors.ts";
import { type CampaignHooks, measureInterleaved } from "../load/interleaved.ts";
import type { PlannedClimb } from "../rungs/plan.ts";
import type { Measurer } from "./measure.ts";
import type { LadderOptions } from "./options.ts";
import type { LadderRecord } from "./record.ts";

/** Errors after which it makes no sense to go on with the other rungs. */
const fatal: ReadonlySet<LabErrorCode> = new Set([
  "SIPHON_NO_SPACE",
  "SIPHON_CLUSTER",
  "SIPHON_MISSING_PROGRAM",
  "SIPHON_PERMISSION",
]);

/**
 * Measures every rung in every repeat, interleaved. A run that fails is noted with its rung and the others
 * go on; an abort, or a failure of what all rungs share, is thrown.
 */
export async function climb(
  rungs: PlannedClimb[],
  measurer: Measurer,
  record: LadderRecord,
  options: LadderOptions,
  hooks: CampaignHooks,
): Promise<void> {
  const work = {
    nameOf: ({ rung }: PlannedClimb) => rung.name,
    measure: (item: PlannedClimb, turn: { repeat: number; order: number }) =>
      measurer.measure(item, turn, hooks.signal),
    fatal,
  };
  await measureInterleaved(rungs, options, work, record, hooks);
}
