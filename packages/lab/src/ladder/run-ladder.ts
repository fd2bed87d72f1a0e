import { mkdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { writeReport } from "../report/report.ts";
import { writeResults } from "../results/file.ts";
import type { Results } from "../results/schema.ts";
import { planRungs } from "../rungs/plan.ts";
import type { StepRunner } from "../step.ts";
import { biggerTest } from "./bigger.ts";
import { climb } from "./climb.ts";
import { existingTarget } from "./existing-target.ts";
import { localTarget } from "./local-target.ts";
import { Measurer } from "./measure.ts";
import type { LadderOptions } from "./options.ts";
import { prepareVms } from "./prepare.ts";
import { LadderRecord } from "./record.ts";
import type { Target } from "./target.ts";

export interface LadderHooks {
  /** The directory that runs are written under, each in one of its own. */
  out: string;
  step: StepRunner;
  signal: AbortSignal;
}

export interface LadderOutcome {
  results: Results;
  /** Where results.json, the report and fio's own output lie. */
  directory: string;
  /** What went wrong, when something did; what was measured until then is in the results. */
  failure?: unknown;
}

/**
 * The main job: cluster, image, every rung, the bigger test, the report. Throws when it fails before
 * anything could be measured; later failures come with the results so far. Nothing is left running.
 */
export async function runLadder(options: LadderOptions, hooks: LadderHooks): Promise<LadderOutcome> {
  const { step, signal } = hooks;
  const vms = await step("Prepare the guest", (report) => prepareVms(options, { report, signal }));
  await using target = await step("Set up cluster and image", (report) =>
    options.existing
      ? existingTarget(options, options.existing, { report, signal })
      : localTarget(options, { report, signal }),
  );
  const planned = planRungs(options.mode, { ...vms.offers, noSecure: target.noSecure }, options.rungs);
  const record = new LadderRecord(
    {
      mode: options.mode,
      seed: options.seed,
      workload: workload(options),
      facts: { ...vms.facts, cluster: target.facts },
      accelerator: vms.accelerator,
    },
    planned,
  );
  for (const note of vms.notes) record.note(note);
  const directory = await makeDirectory(hooks.out);
  const outcome = await measureAll(record, planned, vms.boot(target), target, options, directory, hooks);
  const results = record.results(outcome.failure === undefined);
  await step("Write the report", async () => {
    await writeResults(directory, results);
    await writeReport(directory, results);
  });
  return { results, directory, failure: outcome.failure };
}

