import { SiphonError } from "@siphon/wire";

export type DoctorErrorCode =
  /** The caller asks for something that does not exist: a finding, a VM, a file. */
  | "SIPHON_USAGE"
  /** The text is none of the formats that the doctor knows. */
  | "SIPHON_UNKNOWN_FORMAT"
  /** The text is of a known format and broken. */
  | "SIPHON_BAD_INPUT"
  /** The process cannot be seen, or has ended. */
  | "SIPHON_NO_PROCESS"
  /** The change has no form in this platform's syntax. */
  | "SIPHON_NO_FIX";

/** Every error that the doctor throws on purpose. */
export class DoctorError extends SiphonError<DoctorErrorCode> {}
