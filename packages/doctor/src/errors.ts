import { SiphonError } from "@siphon/wire";

export type DoctorErrorCode =
  /** The caller asks for something that does not exist: a finding, a VM, a file. */
  | "SIPHON_USAGE"
  /** The text is in no format that the doctor knows. */
  | "SIPHON_UNKNOWN_FORMAT"
  /** The text is in a known format, but malformed. */
  | "SIPHON_BAD_INPUT"
  /** The process does not exist, or cannot be seen. */
  | "SIPHON_NO_PROCESS"
  /** The platform's syntax cannot express the change. */
  | "SIPHON_NO_FIX";

/** Every error that the doctor throws on purpose. */
export class DoctorError extends SiphonError<DoctorErrorCode> {}
