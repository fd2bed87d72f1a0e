export { addCluster } from "./cluster/add-cluster.ts";
export type { ClusterView, HealthView, ImageView, PoolView } from "./cluster/view.ts";
export { DoctorError, type DoctorErrorCode } from "./errors.ts";
export { vmOfHost, vmsOfHost } from "./evidence/host.ts";
export type { WatchOptions } from "./evidence/running.ts";
export {
  type Examination,
  type ExaminedDisk,
  type ExamineOptions,
  examine,
  examineVm,
  type FoundFinding,
  readVms,
} from "./examine.ts";
export { allFindings, type FindingGroup, findingById, findingGroups } from "./findings/all.ts";
export { type Finding, type Severity, severities, type Worth } from "./findings/finding.ts";
export { type Fix, fixFor } from "./fix/fix.ts";
export type { Format, InputFile } from "./inputs/input.ts";
export { recognise } from "./inputs/recognise.ts";
export type { Vm } from "./model/vm.ts";
export { redact } from "./redact.ts";
export { explanation } from "./report/explain.ts";
export { examinationMarkdown } from "./report/markdown.ts";
export { sarif } from "./report/sarif.ts";
export { examinationText } from "./report/text.ts";
export { placeWords, titleOf, worthWords } from "./report/words.ts";
