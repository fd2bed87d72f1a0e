import { join } from "node:path";
import { LabError, type LabErrorCode } from "../errors.ts";
import { versions } from "../host/versions.ts";
import { platformNamed } from "../ladder/platforms.ts";
import { curveLoads } from "../load/curve-options.ts";
import { machineFacts, rootFacts, versionFacts } from "../load/facts.ts";
import { measureInterleaved } from "../load/interleaved.ts";
import { jobOf, workloadOf } from "../load/options.ts";
import { makeRunDirectory } from "../results/directory.ts";
import type { StepRunner } from "../step.ts";
import { type PlannedCell, planCells } from "./cells.ts";
import { measureCurves } from "./curve-points.ts";
import { prepareEngines } from "./engines.ts";
import { existingTargets } from "./existing-targets.ts";
import { writeBaselineResults } from "./file.ts";
import { localTargets } from "./local-targets.ts";
import type { BaselineOptions } from "./options.ts";
import { profileCell } from "./profile-cell.ts";
import { BaselineRecord } from "./record.ts";
import { writeBaselineReport } from "./report/write.ts";
import type { BaselineResults } from "./results.ts";
import type { BaselineTargets } from "./target.ts";

export interface BaselineHooks {
  /** Parent directory of the runs' directories. */
  out: string;
  step: StepRunner;
  signal: AbortSignal;
}

export interface BaselineOutcome {
  results: BaselineResults;
  /** Directory of results.json, the report and fio's own output. */
  directory: string;
  /** The error that ended the run, if any; the results have everything measured before it. */
  failure?: unknown;
}

/** Errors that end the whole run. */
const fatal: ReadonlySet<LabErrorCode> = new Set(["SIPHON_NO_SPACE", "SIPHON_MISSING_PROGRAM"]);

/**
 * Measures a cluster without a VM: sizes, wires and engines, interleaved. Nothing is left running.
 *
 * @throws when it fails before anything could be measured; later failures come with the results so far
 */
export async function runBaseline(options: BaselineOptions, hooks: BaselineHooks): Promise<BaselineOutcome> {
  const { step, signal } = hooks;
  const platform = await platformNamed(options.ceph, "ceph");
  await using engines = await step("Prepare the engines", (report) =>
    prepareEngines(options, { platform, report, signal }),
  );
  await using targets = await step("Set up clusters and images", (report) =>
    options.existing
      ? existingTargets(options.existing, options, { platform, report, signal })
      : localTargets(options, { address: engines.address, platform, report, signal }),
  );
  const cells = planCells(targets.all, engines.all, jobOf(options, 0));
  const guest = engines.all.flatMap((engine) => ("facts" in engine ? engine.facts : []));
  const record = new BaselineRecord(
    {
      seed: options.seed,
      workload: workloadOf(options),
      facts: {
        machine: machineFacts(),
        versions: [...versionFacts(await versions({ ceph: platform })), ...rootFacts({ ceph: platform })],
        guest,
      },
      clusters: targets.all.map(({ name, title, facts }) => ({ name, title, facts })),
    },
    cells,
  );
  const directory = await makeRunDirectory(hooks.out);
  const planned = cells.filter((cell): cell is PlannedCell => cell.status === "planned");
  const { failure } = await measureAll(record, planned, targets, options, directory, hooks);
  const results = record.results(failure === undefined);
  await step("Write the report", async () => {
    await writeBaselineResults(directory, results);
    await writeBaselineReport(directory, results);
  });
  return { results, directory, failure };
}

/** Measures the cells, then profiles them if that is wanted; whatever fails is returned, not thrown. */
async function measureAll(
  record: BaselineRecord,
  cells: PlannedCell[],
  targets: BaselineTargets,
  options: BaselineOptions,
  directory: string,
  { step, signal }: BaselineHooks,
): Promise<{ failure?: unknown }> {
  const clusters = AbortSignal.any(targets.all.map(({ failed }) => failed));
  const stop = AbortSignal.any([signal, clusters]);
  const points = curveLoads(options);
  const work = {
    nameOf: ({ name }: PlannedCell) => name,
    measure: async (cell: PlannedCell, turn: { repeat: number; order: number }) => {
      const { name, target, through } = cell;
      const file = join("fio", `${name}-${turn.repeat + 1}.json`);
      const load = jobOf(options, turn.repeat);
      const run = await through.load(target, load, { directory, file, signal: stop });
      if (points.length === 0) return { ...turn, ...run };
      const hooks = { directory, signal: stop, repeat: turn.repeat };
      return { ...turn, ...run, points: await measureCurves(cell, points, load, hooks) };
    },
    fatal,
  };
  const save = async () => {
    await writeBaselineResults(directory, record.results(false));
  };
  try {
    await step(`Measure ${cells.length} cells, ${options.repeat} times`, (report) =>
      measureInterleaved(cells, options, work, record, { report, signal: stop, save }),
    );
    const profiled = options.profile ? cells.filter(({ name }) => !record.isHopeless(name)) : [];
    for (const cell of profiled) {
      await step(`Profile ${cell.name}`, async (report) => {
        const files = await profileCell(cell, jobOf(options, 0), { directory, report, signal: stop });
        record.addProfile(cell.name, files);
      });
    }
    const [first] = record.failures;
    if (!first) return {};
    const message = `${first.cell} failed: ${first.reason}`;
    return {
      failure: new LabError("SIPHON_CLUSTER", message, { hint: "the other cells are in the report" }),
    };
  } catch (error) {
    const failure = clusters.aborted && !signal.aborted ? clusters.reason : error;
    record.note(`The run was cut short: ${(failure as Error).message}`);
    return { failure };
  }
}
