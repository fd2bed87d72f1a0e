/**
 * The disk paths of VMs, from configurations and processes: inputs, one model, findings, fixes.
 *
 * @module @siphon/doctor
 */

export { addCluster } from "./cluster/add-cluster.ts";
export type { ClusterView, HealthView, ImageView, PoolView } from "./cluster/view.ts";
export { convertDomain } from "./convert/convert.ts";
export type { ConvertOptions, ServedImage, SiphonSide } from "./convert/libvirt.ts";
export { type SiphonDisk, siphonDisks } from "./convert/siphon-metadata.ts";
export { DoctorError, type DoctorErrorCode } from "./errors.ts";
export { vmOfHost, vmsOfHost } from "./evidence/host.ts";
export type { WatchOptions } from "./evidence/running.ts";
export type { Examination, ExaminedDisk, FoundFinding } from "./examination.ts";
export { type ExamineOptions, examine, examineVm, readVms } from "./examine.ts";
export { allFindings, type FindingGroup, findingById, findingGroups } from "./findings/all.ts";
export type { FixWords, Hit, Subject, Syntax, Takes } from "./findings/finding.ts";
export { type Finding, type Severity, severities, type Worth } from "./findings/finding.ts";
export { type RungName, type RungWords, rungWords } from "./findings/rungs.ts";
export { type Fix, fixFor } from "./fix/fix.ts";
export { decodeText, type Encoding, encodingOf } from "./inputs/encoding.ts";
export type { Format, InputFile, RecognisedFile } from "./inputs/input.ts";
export { recognise } from "./inputs/recognise.ts";
export type {
  Bus,
  Cache,
  Chosen,
  Disk,
  DiskKind,
  Driver,
  ImageFacts,
  Iothread,
  Source,
} from "./model/disk.ts";
export type { HostFacts, LibrbdVersion } from "./model/host-facts.ts";
export type { Fact, Place } from "./model/place.ts";
export type { Machine, Platform, Settings, Vm } from "./model/vm.ts";
export { redact } from "./redact.ts";
export { explanation } from "./report/explain.ts";
export { examinationMarkdown } from "./report/markdown.ts";
export { sarif } from "./report/sarif.ts";
export type { TextOptions } from "./report/text.ts";
export { examinationText } from "./report/text.ts";
export { placeWords, titleOf, worthWords } from "./report/words.ts";
