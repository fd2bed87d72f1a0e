export { DoctorError, type DoctorErrorCode } from "./errors.ts";
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
export type { Format, InputFile } from "./inputs/input.ts";
export { recognise } from "./inputs/recognise.ts";
export type { Vm } from "./model/vm.ts";
export { redact } from "./redact.ts";
