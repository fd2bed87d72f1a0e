export { type CleanOptions, clean, type Removed } from "./clean.ts";
export { LabError, type LabErrorCode } from "./errors.ts";
