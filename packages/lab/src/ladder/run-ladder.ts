import { LabError } from "../errors.ts";
import type { LiveRun } from "../live-page/live-run.ts";
import { workloadOf } from "../load/options.ts";
import { writeReport } from "../report/write.ts";
import { fewestRepeats } from "../results/compare.ts";
import { makeRunDirectory } from "../results/directory.ts";
import { writeResults } from "../results/file.ts";
import type { Results } from "../results/schema.ts";
import { type PlannedClimb, type PlannedRung, planRungs } from "../rungs/plan.ts";
import { planReleases } from "../rungs/releases.ts";
import type { Offers } from "../rungs/rung.ts";
import type { StepRunner } from "../step.ts";
import { biggerRungs, biggerTest } from "./bigger.ts";
import { climb } from "./climb.ts";
import { existingTarget } from "./existing-target.ts";
import { imageOffers, makeFurtherImages } from "./further-images.ts";
import { localTarget } from "./local-target.ts";
import { Measurer } from "./measure.ts";
import type { LadderOptions } from "./options.ts";
import { findPlatforms } from "./platforms.ts";
import { prepareVms, type VmKit } from "./prepare.ts";
import { profileRung } from "./profile-rung.ts";
import { LadderRecord } from "./record.ts";
import type { Target } from "./target.ts";

/** Overrides the ladder's rungs. */
export interface OwnRungs {
  mode: Results["mode"];
  plan: (offers: Offers) => PlannedRung[];
}

export interface LadderHooks {
  /** Parent directory of the runs' directories. */
  out: string;
  step: StepRunner;
  signal: AbortSignal;
  /** The live page. */
  live?: LiveRun;
}

export interface LadderOutcome {
  results: Results;
  /** Directory of results.json, the report and fio's own output. */
  directory: string;
  /** The error that ended the run early, if any; the results have everything measured before it. */
  failure?: unknown;
}

/**
 * The main job: cluster, image, every rung, the bigger test, the report. Nothing is left running.
 *
 * @throws when it fails before anything could be measured; later failures come with the results so far
 */
export async function runLadder(
  options: LadderOptions,
  hooks: LadderHooks,
  own?: OwnRungs,
): Promise<LadderOutcome> {
  const { signal, live } = hooks;
  const step = live ? live.steps(hooks.step) : hooks.step;
  const platforms = await findPlatforms(options);
  await using vms = await step("Prepare the guest", (report) =>
    prepareVms(options, platforms, { report, signal }),
  );
  const laying = { size: options.size, guestDisk: vms.guestDisk };
  await using target = await step("Set up cluster and image", (report) =>
    options.existing
      ? existingTarget(options.existing, laying, platforms, { report, signal })
      : localTarget(options, laying, platforms, { report, signal }),
  );
  const offers = { ...vms.offers, noSecure: target.noSecure, copies: target.copies, ...imageOffers(options) };
  const once =
    own?.plan(offers) ??
    (vms.releases
      ? planReleases(offers, vms.releases, options.rungs?.[0])
      : planRungs(options.mode, offers, options.rungs));
  const planned = options.twice ? twice(once) : once;
  const climbs = planned.filter((each): each is PlannedClimb => each.status === "planned");
  await using images = climbs.some(({ settings }) => settings.image)
    ? await step("Make images for rungs that are about them", (report) =>
        makeFurtherImages(target, climbs, options.size, { report, signal }),
      )
    : undefined;
  const record = new LadderRecord(
    {
      mode: own?.mode ?? (options.releases ? "releases" : options.mode),
      seed: options.seed,
      workload: workloadIn(options),
      roots: rootsIn(options),
      facts: { ...vms.facts, cluster: target.facts },
      accelerator: vms.accelerator,
    },
    planned,
  );
  const directory = await makeRunDirectory(hooks.out);
  const outcome = await measureAll(record, climbs, vms, images?.target ?? target, options, directory, {
    ...hooks,
    step,
  });
  const results = record.results(outcome.failure === undefined);
  await step("Write the report", async () => {
    await writeResults(directory, results);
    await writeReport(directory, results);
  });
  return { results, directory, failure: outcome.failure };
}

/** The number of blocks is not known in advance. */
function workloadIn(options: LadderOptions): Results["workload"] {
  const { until, inTime, slice } = options;
  const repeats = until === undefined && !inTime ? options.repeat : fewestRepeats;
  return { ...workloadOf(options), repeats, slice };
}

/** Each rung twice. */
function twice(planned: readonly PlannedRung[]): PlannedRung[] {
  return planned.flatMap((each): PlannedRung[] => {
    if (each.status === "skipped") return [each];
    const { name, title, why } = each.rung;
    const again = { ...each.rung, name: `${name}-again`, title: `${title}, again`, why };
    return [each, { ...each, rung: again, against: name }];
  });
}

/** The roots in the options. */
function rootsIn({ ceph, qemu, releases }: LadderOptions): Results["roots"] {
  if (ceph === undefined && qemu === undefined && releases === undefined) return undefined;
  return { ceph, qemu, releases: releases?.join(",") };
}

function climbInWords(rungs: number, { repeat, inTime, until, time }: LadderOptions): string {
  const many = rungs === 1 ? "1 rung" : `${rungs} rungs`;
  const blocks = `${inTime ? "at most " : ""}${repeat} block${repeat === 1 ? "" : "s"}`;
  if (until === undefined) return `Climb ${many} in ${blocks}`;
  return `Climb ${many} until verdicts are sharp to ±${100 * until} %, at most ${Math.round(time / 60)} minutes`;
}

/** Climbs, profiles if requested, and makes the bigger test; errors are returned, not thrown. */
async function measureAll(
  record: LadderRecord,
  rungs: PlannedClimb[],
  kit: VmKit,
  target: Target,
  options: LadderOptions,
  directory: string,
  { step, signal, live }: LadderHooks,
): Promise<{ failure?: unknown }> {
  const stop = AbortSignal.any([signal, target.failed]);
  const measurer = new Measurer(kit, target, record, options, directory);
  const save = async () => {
    await writeResults(directory, record.results(false));
  };
  try {
    const [lastPlanned] = rungs.slice(-1);
    if (kit.guestDisk !== undefined && lastPlanned) {
      await step("Fill the partition that is measured", () => measurer.fill(lastPlanned, stop));
    }
    await step(climbInWords(rungs.length, options), (report) =>
      climb(rungs, measurer, record, { options, directory, target }, { report, signal: stop, save, live }),
    );
    const profiled = options.profile ? rungs.filter(({ rung }) => !record.isHopeless(rung.name)) : [];
    for (const each of profiled) {
      const { name } = each.rung;
      await step(`Profile ${name}`, async (report) => {
        const hooks = { directory, report, signal: stop };
        record.addProfile(name, await profileRung(each, measurer, options, hooks));
      });
    }
    const climbed = rungs.filter(({ rung }) => !record.isHopeless(rung.name));
    for (const each of options.bigger ? biggerRungs(climbed) : []) {
      await step(`The bigger test, on ${each.rung.name}`, (report) =>
        biggerTest(each, measurer, record, options, { report, signal: stop }),
      );
    }
    const [first] = record.failures;
    if (!first) return {};
    return {
      failure: new LabError("SIPHON_VM", `rung ${first.rung} failed: ${first.reason}`, {
        hint: "the other rungs are in the report",
      }),
    };
  } catch (error) {
    const failure = target.failed.aborted && !signal.aborted ? target.failed.reason : error;
    record.note(`The run was cut short: ${(failure as Error).message}`);
    return { failure };
  }
}
