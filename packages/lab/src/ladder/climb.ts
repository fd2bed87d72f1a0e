import { LabError, type LabErrorCode } from "../errors.ts";
import type { LiveRun } from "../live-page/live-run.ts";
import { curveLoads } from "../load/curve-options.ts";
import { type CampaignHooks, twice } from "../load/interleaved.ts";
import { ProcessorDistance } from "../load/processor-distance.ts";
import type { PlannedClimb } from "../rungs/plan.ts";
import { measureBlock } from "./block.ts";
import type { BlockHooks } from "./block-plan.ts";
import { BlockSchedule } from "./block-schedule.ts";
import type { Measurer } from "./measure.ts";
import type { LadderOptions } from "./options.ts";
import type { LadderRecord } from "./record.ts";
import { vmsAtOnce } from "./room.ts";
import { runOf } from "./sliced-run.ts";
import type { Target } from "./target.ts";

/** Errors that end the whole ladder. */
const fatal: ReadonlySet<LabErrorCode> = new Set([
  "SIPHON_NO_SPACE",
  "SIPHON_CLUSTER",
  "SIPHON_MISSING_PROGRAM",
  "SIPHON_PERMISSION",
]);

/**
 * Measures all rungs in blocks. A rung that fails is recorded, and the others continue; an abort, or a failure that
 * affects all rungs, is thrown.
 */
export async function climb(
  rungs: PlannedClimb[],
  measurer: Measurer,
  record: LadderRecord,
  { options, directory, target }: { options: LadderOptions; directory: string; target: Target },
  { report, signal, save, live }: CampaignHooks & { live?: LiveRun },
): Promise<void> {
  const { seconds, slice } = options;
  const rounds = Math.max(1, Math.round(seconds / (2 * slice)));
  const times = { seconds: slice, settle: SETTLE_SECONDS };
  const points = curveLoads(options);
  const schedule = new BlockSchedule(options);
  await using distance = await ProcessorDistance.start();
  let order = 0;
  for (;;) {
    const left = schedule.next(rungs, record);
    if (left.length === 0) return;
    const { block } = schedule;
    const hooks: BlockHooks = {
      stand: (rung) => twice(() => measurer.stand(rung, block, signal)),
      bootsAlone: (rung) => measurer.bootsAlone(rung),
      failed: ({ rung }, error) => {
        if (!(error instanceof LabError) || fatal.has(error.code)) throw error;
        record.fail(rung.name, error.message);
      },
      done: ({ rung }, run) => record.add(rung.name, { repeat: block, order: order++, ...run }),
      ...(live && {
        sliced: async ({ rung }, slices, started) => {
          record.goesOn(rung.name, { repeat: block, order, started, fio: "", ...runOf(slices, notYet) });
          await live.show(() => record.resultsSoFar(), schedule.secondsLeft());
        },
      }),
      report: (text) => report(`${schedule.inWords}: ${text}${schedule.timeLeft()}`),
      osdPids: () => target.osdPids(),
      distance,
      signal,
    };
    for (const group of inGroups(left, vmsAtOnce(options))) {
      await measureBlock(group, { block, rounds, times, points, directory }, hooks);
      await save();
    }
  }
}

/** Placeholder for figures that fio prints at its end. */
const notYet = { latency: { mean: 0, p50: 0, p95: 0, p99: 0, p999: 0 }, bytesPerSecond: 0, iops: 1 };

/** Time until a resumed VM has as many requests in flight as before. */
const SETTLE_SECONDS = 0.1;

/** Groups of nearly equal size: a group of one would have nothing to compare with. */
function inGroups<T>(items: readonly T[], most: number): T[][] {
  const groups = Math.ceil(items.length / most);
  return Array.from({ length: groups }, (_, group) =>
    items.slice(
      Math.round((group * items.length) / groups),
      Math.round(((group + 1) * items.length) / groups),
    ),
  );
}
