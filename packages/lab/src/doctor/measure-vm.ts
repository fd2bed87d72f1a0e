import { availableParallelism } from "node:os";
import { type Disk, examineVm, redact, type Vm, type Worth } from "@siphon/doctor";
import { LabError } from "../errors.ts";
import type { LadderOptions } from "../ladder/options.ts";
import { type LadderHooks, type LadderOutcome, runLadder } from "../ladder/run-ladder.ts";
import { allChanges, asItIs, measurable, mendedBy, planChanges } from "./measured-changes.ts";
import { vmSettingsOf } from "./vm-settings.ts";

export interface MeasuredVm {
  /** The worth of each change, by the id of its finding. */
  worth: ReadonlyMap<string, Worth>;
  /** Notes on the run, in sentences; the worth of all changes together comes first. */
  notes: string[];
  /** The ladder's results; undefined if no finding can be measured. */
  outcome?: LadderOutcome;
}

/**
 * Measures the findings about one disk of a VM: test VMs with its current settings, with each change, and with all
 * changes, on a test image of the ladder's target. The examined VM is not touched.
 *
 * @throws LabError SIPHON_USAGE for a disk that no librbd serves; as runLadder() does
 */
export async function measureVm(
  vm: Vm,
  disk: Disk,
  options: LadderOptions,
  hooks: LadderHooks,
): Promise<MeasuredVm> {
  const findings = measurable(examineVm(vm), redact(disk.name));
  const { settings, cpus, notes } = vmSettingsOf(vm, disk, availableParallelism());
  if (findings.length === 0)
    return { worth: new Map(), notes: [`A run cannot measure any of the findings about ${disk.name}.`] };
  const outcome = await runLadder({ ...options, bigger: false, vm: { ...options.vm, cpus } }, hooks, {
    mode: "vm",
    plan: (offers) => planChanges(settings, findings, offers),
  });
  const { results, directory } = outcome;
  const worth = new Map<string, Worth>();
  const said: string[] = [];
  for (const rung of results.rungs) {
    if (rung.status !== "measured") {
      said.push(`${rung.name} was not measured: ${rung.reason}.`);
      continue;
    }
    if (rung.comparison === undefined) continue;
    const { ratio, verdict } = rung.comparison;
    const change: Worth = {
      text: `${verdict}, x${ratio.median.toFixed(2)} against the VM as it is`,
      source: `measured for this VM on ${results.started.slice(0, 10)}, ${directory}`,
      interval: [ratio.low, ratio.high],
      ...(verdict === "faster" && { factor: ratio.median }),
    };
    if (rung.name === allChanges)
      said.unshift(
        `With all measured changes: ${change.text}, 95 % interval ${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)}.`,
      );
    for (const id of mendedBy(rung.name, findings)) worth.set(id, change);
  }
  const base = results.rungs.find(({ name }) => name === asItIs);
  const { workload, accelerator } = results;
  if (base?.status === "measured")
    said.push(
      `Measured at ${disk.name}: ${workload.rw}, ${workload.blockSize / 1024} KiB at a queue depth of ${workload.ioDepth}, ${workload.repeats} blocks of ${workload.seconds} s, guests under ${accelerator.name.toUpperCase()}: ${Math.round(base.summary.iops.median).toLocaleString("en")} IOPS as it is.`,
    );
  return { worth, notes: [...said, ...notes], outcome };
}

/** The disk to measure: the named one, else the first that librbd serves. */
export function diskToMeasure({ disks }: Vm, name?: string): Disk {
  const found =
    name === undefined
      ? disks.find(({ kind, source }) => kind === "data" && source.driver === "librbd")
      : disks.find((disk) => disk.name === name);
  if (found !== undefined) return found;
  throw new LabError(
    "SIPHON_USAGE",
    name === undefined
      ? "no disk of it is served by librbd: there is nothing to measure"
      : `it has no disk ${name}`,
    { hint: `its disks: ${disks.map((disk) => disk.name).join(", ") || "none"}` },
  );
}
