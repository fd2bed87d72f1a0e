export { readBaselineResults, writeBaselineResults } from "./baseline/file.ts";
export {
  type BaselineOptions,
  type BaselineOptionsInput,
  engineNames as baselineEngines,
  parseBaselineOptions,
  quickBaseline,
  readBaselinePlan,
} from "./baseline/options.ts";
export { baselineHeadline } from "./baseline/report/findings.ts";
export { writeBaselineReport } from "./baseline/report/write.ts";
export type { BaselineCell, BaselineResults } from "./baseline/results.ts";
export { type BaselineHooks, type BaselineOutcome, runBaseline } from "./baseline/run-baseline.ts";
export { type AdminCommand, askAdminSocket } from "./ceph/admin-socket.ts";
export { type CephCallOptions, CephClient, type CephTarget } from "./ceph/client.ts";
export { type ClientConf, writeClientConf } from "./ceph/conf.ts";
export { cephEnvironment } from "./ceph/environment.ts";
export { existingClusterFacts, requireOwnImage, requireWritable } from "./ceph/existing.ts";
export { createPool, createUser, initRbdPool, type PoolSpec, rbdCaps } from "./ceph/pool.ts";
export { CephSession } from "./ceph/session.ts";
export { type CleanOptions, clean, type Removed } from "./clean.ts";
export { LocalCluster, type UpOptions } from "./cluster/local-cluster.ts";
export type { ClusterSpec, ClusterSpecInput } from "./cluster/spec.ts";
export type { DaemonState, LocalClusterStatus } from "./cluster/status.ts";
export type { ClusterWatch } from "./cluster/watch.ts";
export { type ComparableRun, readComparable } from "./compare/comparable.ts";
export { compareRuns, type RunsComparison } from "./compare/compare-runs.ts";
export { differenceName } from "./compare/differences.ts";
export { comparisonHeadline, comparisonSentences, comparisonWarnings, nounOf } from "./compare/findings.ts";
export { type MetricName, metricNames, metrics } from "./compare/metrics.ts";
export { changeCell, comparisonHtml } from "./compare/page.ts";
export { type Judgement, judge, type Limits } from "./compare/regressions.ts";
export { writeComparison } from "./compare/write.ts";
export { ceilings, type MeasuredReads, measuredReads } from "./crypto/ceiling.ts";
export { type CryptoOptions, measureCrypto } from "./crypto/measure.ts";
export { type CryptoContext, cryptoHtml } from "./crypto/page.ts";
export { blockSizes, type CryptoResults, seriesOf, sources } from "./crypto/results.ts";
export { ceilingHeadline, ceilingSentences, smallBlockSentence } from "./crypto/words.ts";
export { writeCrypto } from "./crypto/write.ts";
export { readDensityResults, writeDensityResults } from "./density/file.ts";
export {
  type DensityOptions,
  type DensityOptionsInput,
  parseDensityOptions,
  quickDensity,
} from "./density/options.ts";
export { densityHeadline, densitySentences } from "./density/report/findings.ts";
export { writeDensityReport } from "./density/report/write.ts";
export type { DensityCell, DensityResults } from "./density/results.ts";
export { type DensityOutcome, runDensity } from "./density/run-density.ts";
export { Deployment, type DeploymentStatus, type DeployOptions, destroy } from "./deploy/deployment.ts";
export { type Inventory, parseInventory, readInventory } from "./deploy/inventory.ts";
export type { Removal } from "./deploy/take-down.ts";
export { parseWipe, type Wipe } from "./deploy/wipe.ts";
export type { Finding, HostReport, Section } from "./doctor/finding.ts";
export { examineHost, type HostDoctorOptions } from "./doctor/host.ts";
export { diskToMeasure, type MeasuredVm, measureVm } from "./doctor/measure-vm.ts";
export { worthOfRungs } from "./doctor/run-worth.ts";
export { vmDoctorPage } from "./doctor/vm-page.ts";
export { LabError, type LabErrorCode } from "./errors.ts";
export { type FioJob, fioCommand, fioCommandLine } from "./fio/command.ts";
export { type FioFigures, parseFio } from "./fio/result.ts";
export type { GuestControl, GuestRunOptions } from "./guest/control.ts";
export { type BuildGuestOptions, buildGuestImage, exportGuestImage } from "./guest/debian/image.ts";
export type { Guest, ShellAccess } from "./guest/guest.ts";
export type { GuestImageFiles } from "./guest/image-files.ts";
export { type ImageGuest, imageGuest, type LetIn } from "./guest/image-guest.ts";
export { benchmarkPartition, type GuestDevice } from "./guest/partition/benchmark-partition.ts";
export { smallGuest } from "./guest/small.ts";
export { findRun, findRuns, type RunEntry, type RunState } from "./history/entries.ts";
export { removeRun } from "./history/remove.ts";
export { changesBefore, type Trend, trendHeadline, trendOf } from "./history/trend.ts";
export { trendHtml } from "./history/trend-page.ts";
export { type Call, type CallOptions, host, type Platform } from "./host/platform.ts";
export { pidsWithEnvironment } from "./host/proc.ts";
export {
  createImage,
  type ImageInfo,
  imageExists,
  imageInfo,
  removeImage,
  renameImage,
  resizeImage,
} from "./image/image.ts";
export { type ImageFile, type ImportOptions, imageFile, importImage } from "./image/import.ts";
export { type PrefillOptions, prefillImage } from "./image/prefill.ts";
export { RecordedImage } from "./image/recorded.ts";
export { type ListedRung, listRungs } from "./ladder/list-rungs.ts";
export {
  type LadderOptions,
  type LadderOptionsInput,
  parseLadderOptions,
  quickOptions,
  readPlan,
} from "./ladder/options.ts";
export { platformNamed } from "./ladder/platforms.ts";
export { type LadderHooks, type LadderOutcome, runLadder } from "./ladder/run-ladder.ts";
export { formatSize, parseSize } from "./ladder/size.ts";
export { LiveRun } from "./live-page/live-run.ts";
export { LiveServer } from "./live-page/server.ts";
export { type CbtImport, importCbt, type WrittenImport, writeImport } from "./plan/cbt-import.ts";
export { costInWords, saturation } from "./profile/findings.ts";
export { flameGraph, flamePart } from "./profile/flame-graph/flame-graph.ts";
export type { BackendName, Profile } from "./profile/profile.ts";
export { profileHtml, profileSections } from "./profile/profile-page.ts";
export { type ProfileOptions, profileProcess } from "./profile/profile-process.ts";
export { symbolAdvice } from "./profile/symbols/unnamed.ts";
export { profilePid } from "./profile/target.ts";
export { type ProfileFiles, readProfile, writeProfile } from "./profile/write.ts";
export { type Findings, findings, headline, qualification } from "./report/findings.ts";
export * as format from "./report/format.ts";
export { type ReportFiles, writeReport } from "./report/write.ts";
export { compare } from "./results/compare.ts";
export { datedDirectory } from "./results/dated.ts";
export { type RunKind, readResults, resultsFile, runKind, writeResults } from "./results/file.ts";
export { type Power, type Prospect, powerOf } from "./results/power.ts";
export type {
  BiggerStep,
  Comparison,
  Curve,
  Estimate,
  MeasuredRung,
  Results,
  Run,
  RungResult,
  Summary,
  Verdict,
} from "./results/schema.ts";
export { markOutliers, summarize } from "./results/summarize.ts";
export { type BuildRootOptions, buildRoot, removeRoot } from "./roots/build/build.ts";
export type { RootContents } from "./roots/contents.ts";
export { releaseOf, releases, rootSource } from "./roots/releases.ts";
export { Root, type RootUse, rootsDirectory } from "./roots/root.ts";
export { furtherRungsOf, type LadderMode, rungsOf } from "./rungs/plan.ts";
export { RESOURCE_VARIABLE } from "./state/resource.ts";
export { type Report, type StepRunner, silentSteps } from "./step.ts";
export { studyBiggerFigure } from "./study/bigger.ts";
export * as study from "./study/figures.ts";
export { type StudyFigure, studyFigure } from "./study/rungs.ts";
export { type AcceleratorChoice, chooseAccelerator } from "./vm/accelerator.ts";
export { type Allocator, allocatorLibrary } from "./vm/allocator.ts";
export { type Accelerator, type Network, type QemuCommand, renderCommand } from "./vm/arguments.ts";
export { planVm, startPlanned, type VmRequest } from "./vm/by-hand.ts";
export type { Disk } from "./vm/disk.ts";
export { listVms, stopVm, type VmDetails, type VmSummary } from "./vm/kept.ts";
export { qemuDefaults, type RbdDisk, type VmSettings } from "./vm/settings.ts";
export { Vm, type VmOptions, vmCommand } from "./vm/vm.ts";
