export { CephClient, type CephTarget } from "./ceph/client.ts";
export { type ClientConf, writeClientConf } from "./ceph/conf.ts";
export { cephEnvironment } from "./ceph/environment.ts";
export { type CleanOptions, clean, type Removed } from "./clean.ts";
export { LocalCluster, type UpOptions } from "./cluster/local-cluster.ts";
export type { ClusterSpec, ClusterSpecInput } from "./cluster/spec.ts";
export { LabError, type LabErrorCode } from "./errors.ts";
export { type FioJob, fioCommand, fioCommandLine } from "./fio/command.ts";
export { type FioFigures, parseFio } from "./fio/result.ts";
export type { GuestControl, GuestRunOptions } from "./guest/control.ts";
export type { Guest } from "./guest/guest.ts";
export { smallGuest } from "./guest/small.ts";
export { compare } from "./results/compare.ts";
export { readResults, resultsFile, writeResults } from "./results/file.ts";
export type {
  BiggerStep,
  Comparison,
  Estimate,
  MeasuredRung,
  Results,
  Run,
  RungResult,
  Summary,
  Verdict,
} from "./results/schema.ts";
export { markOutliers, summarize } from "./results/summarize.ts";
export { type BootstrapOptions, estimateMedian } from "./statistics/estimate.ts";
export { outliers } from "./statistics/outliers.ts";
export { seededRandom } from "./statistics/random.ts";
export { fewestPairs, type Pair, pairedRatio, verdictOf } from "./statistics/verdict.ts";
export { type Report, type StepRunner, silentSteps } from "./step.ts";
export { studyBiggerFigure } from "./study/bigger.ts";
export * as study from "./study/figures.ts";
export { type StudyFigure, studyFigure } from "./study/rungs.ts";
export { type AcceleratorChoice, chooseAccelerator } from "./vm/accelerator.ts";
export { type Allocator, allocatorLibrary } from "./vm/allocator.ts";
export { type Accelerator, type Network, type QemuCommand, renderCommand } from "./vm/arguments.ts";
export type { Disk } from "./vm/disk.ts";
export { qemuDefaults, type RbdDisk, type VmSettings } from "./vm/settings.ts";
export { Vm, type VmOptions, vmCommand } from "./vm/vm.ts";
export { pidsWithEnvironment } from "./host/proc.ts";
export {
  type LadderOptions,
  type LadderOptionsInput,
  parseLadderOptions,
  quickOptions,
  readPlan,
} from "./ladder/options.ts";
export { type LadderHooks, type LadderOutcome, runLadder } from "./ladder/run-ladder.ts";
export { type LadderMode, rungsOf } from "./rungs/plan.ts";
export { RESOURCE_VARIABLE } from "./state/resource.ts";
